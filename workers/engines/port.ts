import type { ContextMessage } from "../../common/compression/context-message.ts";
import type { ToolCall } from "../../common/contracts/message.ts";
import type { RunErrorCode } from "../../common/contracts/run.ts";
import type { SessionProcesses } from "../tools/process/port.ts";
import type { Tool } from "../tools/tool.ts";

/**
 * An engine turns a context into events. It is an async generator: whoever runs it handles (journals, stores) each
 * event before asking for the next one, so code after a `yield` may rely on what was yielded being durable. That is how
 * "a tool's intent is recorded before it runs" holds (reliability 5) without the engine knowing a store.
 *
 * Engines never import the journal, stores or queues.
 */
export interface Engine {
  /** True: a later attempt may continue after the last recorded step. False: a crash ends the run as `interrupted`. */
  readonly resumable: boolean;
  /**
   * Ends normally after the last `step_end`. Throws an `EngineError` for what the provider did, anything else for a bug.
   * When `signal` aborts it stops soon (model request aborted, tools killed) and throws the signal's reason.
   */
  run(context: EngineContext, signal: AbortSignal): AsyncGenerator<EngineEvent, void, undefined>;
}

/** A model step recorded by an earlier attempt. */
export interface RecordedStep {
  readonly step: number;
  readonly text: string;
  readonly reasoning: string;
  readonly toolCalls: readonly ToolCall[];
}

/** A tool call's record: `unknown` when an attempt died inside it. */
export interface RecordedTool {
  /** Call ids are unique within a step only: some providers count from 0 in each answer. */
  readonly step: number;
  readonly callId: string;
  readonly outcome: "done" | "unknown";
  readonly result: string;
  readonly isError: boolean;
}

export interface EngineContext {
  readonly runId: string;
  readonly sessionId: string;
  readonly attempt: number;
  /** Instructions before the conversation; may be empty. */
  readonly instructions: string;
  /** The conversation up to and including this run's user message. */
  readonly messages: readonly ContextMessage[];
  /** Completed steps of earlier attempts, 1..n. Execution continues after them. */
  readonly steps: readonly RecordedStep[];
  readonly tools: readonly RecordedTool[];
  /** What the run's profile offers beside the tools that every run has; a name that is taken already is not offered. */
  readonly profileTools: readonly Tool[];
  readonly model: ModelSettings;
  /** Absolute folder the tools are confined to. */
  readonly workspace: string;
  /** Environment of child processes, already built: nothing is inherited (DESIGN 8). */
  readonly childEnv: Readonly<Record<string, string>>;
  readonly maxSteps: number;
  /** Keeps the history within the model's window; absent: it is sent as it is. */
  readonly keeper?: ContextKeeper;
  /** What the run's session has running in the background. */
  readonly processes?: SessionProcesses | undefined;
}

/** How a run's history is made to fit (background-jobs 2.2). */
export interface ContextKeeper {
  /** Tokens of the model's window, as configured or assumed. */
  readonly contextLength: number;
  /** The estimate from which on it is compressed; null: only when the provider refuses it. */
  readonly thresholdTokens: number | null;
  /** Rough tokens that tool results keep once it is compressed. */
  readonly resultBudget: number;
  /** Compressions that earlier attempts of the run made. */
  readonly made: number;
  count(messages: readonly ContextMessage[]): Promise<number>;
  /**
   * What would compress the history so that at most `tailTokens` of it stay (null: as many as usual); null: nothing would. What it
   * resolves with is durable. Rejects with the signal's reason, and with `stale_generation`.
   */
  prepare(tailTokens: number | null): Promise<((signal: AbortSignal) => Promise<KeptContext>) | null>;
}

export type KeptContext =
  | {
      readonly kind: "made";
      readonly version: number;
      readonly tokensBefore: number;
      readonly tokensAfter: number;
      /** The history from now on. */
      readonly messages: readonly ContextMessage[];
    }
  /** Nothing changed; `reason` is a warning's type, `message` is for people. */
  | { readonly kind: "refused"; readonly reason: string; readonly message: string };

/** Model of a profile (native-api "Model of a profile"). */
export interface ModelSettings {
  readonly provider: string;
  readonly model: string;
  readonly baseUrl: string | null;
  readonly apiKey: string | null;
}

export type EngineEvent =
  | { readonly type: "text"; readonly step: number; readonly text: string }
  | { readonly type: "reasoning"; readonly step: number; readonly text: string }
  /**
   * The model call of `step` is complete. With tool calls the step is recorded before any of them starts; without, the
   * run's answer is complete.
   */
  | {
      readonly type: "step_end";
      readonly step: number;
      readonly text: string;
      readonly reasoning: string;
      readonly toolCalls: readonly ToolCall[];
      readonly finishReason: string;
      readonly usage: StepUsage;
    }
  /** Intent: the tool runs only after this was recorded. */
  | {
      readonly type: "tool_start";
      readonly step: number;
      readonly call: ToolCall;
      readonly idempotent: boolean;
    }
  | {
      readonly type: "tool_end";
      readonly step: number;
      readonly call: ToolCall;
      readonly result: string;
      readonly isError: boolean;
      readonly outcome: "done" | "unknown";
      readonly durationS: number;
    }
  | {
      readonly type: "warning";
      readonly kind: string;
      readonly message: string;
      /** A model call is tried again after this time; `status`: what the provider answered, null when it could not be reached. */
      readonly retry?: { readonly status: number | null; readonly waitMs: number };
    }
  /** The history is being compressed; ends with `compressed`, or with whatever comes next. */
  | { readonly type: "compressing" }
  /** It is, and that is durable. */
  | {
      readonly type: "compressed";
      readonly version: number;
      readonly tokensBefore: number;
      readonly tokensAfter: number;
    }
  /** The model wanted more steps than `maxSteps`. */
  | { readonly type: "step_limit" };

export interface StepUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  readonly cacheReadTokens: number;
}

/** What a provider did wrong, classified by type (run-events 2.7), never by wording. */
export class EngineError extends Error {
  readonly code: RunErrorCode;
  readonly hint: string | undefined;
  /** Redacted by the journal's writer before anybody sees it; at most 1200 characters are kept. */
  readonly detail: string | undefined;

  constructor(
    code: RunErrorCode,
    message: string,
    options: ErrorOptions & { hint?: string; detail?: string } = {},
  ) {
    super(message, options);
    this.name = "EngineError";
    this.code = code;
    this.hint = options.hint;
    this.detail = options.detail;
  }
}

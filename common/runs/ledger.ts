import type { Message, MessageStatus, ToolCall } from "../contracts/message.ts";
import type { Run, RunErrorCode, TerminalStatus, Usage } from "../contracts/run.ts";
import type { Session } from "../contracts/session.ts";

/** Shapes of the run ledger: what lifecycle and workers ask of talaria.db. Statements are in `ops.ts`. */

/** What has been decided and must still be told; leased to one process until it is due again. */
export interface OutboxRow {
  readonly id: number;
  /**
   * announce: journal `run_queued`; dispatch: put the run's job into the queue; sync: bring the turn into state.db;
   * finish: journal the run's end; of no run (`runId` is the session's id): copy: bring
   * a session's copied messages into state.db; external, cut: journal that its transcript changed; title: journal a new title and
   * bring it into state.db; of a job (`runId` is the job's id): job: journal its state; work: put it into its queue; of a background
   * process (`runId` is its id): process: journal its state; wake: begin the turn that its end asks for (`runId` may be the session's id);
   * of a delivery (`runId` is its id): deliver: put it into its queue.
   */
  readonly kind:
    | "announce"
    | "dispatch"
    | "sync"
    | "finish"
    | "copy"
    | "external"
    | "cut"
    | "title"
    | "job"
    | "work"
    | "process"
    | "wake"
    | "deliver";
  readonly sessionId: string;
  readonly runId: string;
  /** A row that is put or taken again has another one. */
  readonly version: number;
  readonly tries: number;
}

/** Runs of one profile that nobody has begun. */
export interface WaitingRuns {
  readonly profile: string;
  readonly n: number;
  /** Since when the oldest has waited, epoch seconds. */
  readonly since: number;
}

/** A run as its executor and the repairers need it. */
export interface RunRecord {
  readonly run: Run;
  readonly turn: number;
  readonly generation: number;
  readonly jobId: string | null;
  readonly cancelRequested: boolean;
  readonly errorHint: string | null;
  readonly errorDetail: string | null;
  readonly terminalState: "tool_limit_reached" | null;
  /** Epoch seconds; null: it waits here. */
  readonly releasedAt: number | null;
  /** Epoch seconds; null: nothing was shown yet, or the attempt that showed it could not say so. */
  readonly firstOutputAt: number | null;
  /** W3C `traceparent` of its acceptance. */
  readonly traceparent: string | null;
}

export interface StoredStep {
  readonly step: number;
  readonly text: string;
  readonly reasoning: string;
  readonly toolCalls: readonly ToolCall[];
  readonly usage: StepUsageRecord;
}
export interface StepUsageRecord {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  readonly cacheReadTokens: number;
}
export interface StoredTool {
  readonly step: number;
  readonly callId: string;
  readonly name: string;
  /** `started`: an attempt recorded the intent and no result; what happened is unknown. */
  readonly state: "started" | "done" | "unknown";
  readonly result: string | null;
  readonly isError: boolean;
  readonly durationS: number | null;
}

/** What earlier attempts have proved. */
export interface Evidence {
  readonly steps: readonly StoredStep[];
  readonly tools: readonly StoredTool[];
}

export type ClaimResult =
  | {
      readonly kind: "claimed";
      readonly record: RunRecord;
      readonly session: Session;
      readonly minSeq: number;
      readonly exhausted: boolean;
    }
  /** Unknown or deleted: drop the job. */
  | { readonly kind: "gone" }
  /** Has its end already: drop the job. */
  | { readonly kind: "ended" }
  /** An earlier run of the session has not ended; it will dispatch this one. */
  | { readonly kind: "not_first" }
  /** It is not of the profile in whose queue its job was. */
  | { readonly kind: "foreign" }
  /** This ended run of the session has not been journaled as ended yet: finish it first, then claim again. */
  | { readonly kind: "finish_first"; readonly runId: string };

/** A message of a turn that is about to be committed. */
export interface NewMessage {
  readonly role: Message["role"];
  readonly content: string;
  readonly reasoning?: string;
  readonly toolCalls?: readonly ToolCall[];
  readonly toolCallId?: string;
  readonly toolName?: string;
  readonly isError?: boolean;
  readonly status: MessageStatus;
}

export interface Outcome {
  readonly status: TerminalStatus;
  readonly messages: readonly NewMessage[];
  readonly usage: Usage | null;
  readonly error: {
    readonly code: RunErrorCode;
    readonly message: string;
    readonly hint?: string;
    readonly detail?: string;
  } | null;
  readonly terminalState?: "tool_limit_reached";
  /** How the session may get a title from this turn, as the profile wants it; absent: not at all. */
  readonly titles?: { readonly refreshEvery: number };
}

export type CommitResult =
  | { readonly kind: "committed"; readonly turn: EndedTurn; readonly outbox: readonly OutboxRow[] }
  /** The attempt does not own the run any more (or the run is gone): change nothing. */
  | { readonly kind: "stale" }
  /** A stop was accepted before: commit as cancelled instead. */
  | { readonly kind: "cancelling" };

/** An ended run with everything its terminal event and state.db need. */
export interface EndedTurn {
  readonly record: RunRecord;
  readonly session: Session;
  /** The turn's messages in order, the user's first. */
  readonly messages: readonly Message[];
  readonly minSeq: number;
}

export type CancelResult =
  | { readonly kind: "ended"; readonly run: Run }
  /** The run was settled here: it never started. */
  | { readonly kind: "settled"; readonly run: Run; readonly outbox: readonly OutboxRow[] }
  /** A worker holds it and must be told. */
  | { readonly kind: "cancelling"; readonly run: Run }
  /** It waits between two attempts and has output: whoever calls takes it over and settles it. */
  | { readonly kind: "take_over"; readonly run: Run };

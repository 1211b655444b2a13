import { setTimeout as delay } from "node:timers/promises";
import type {
  LanguageModelV4,
  LanguageModelV4FinishReason,
  LanguageModelV4FunctionTool,
  LanguageModelV4Prompt,
  LanguageModelV4StreamPart,
  LanguageModelV4Usage,
} from "@ai-sdk/provider";
import type { ToolCall } from "../../../common/contracts/message.ts";
import { EngineError, type EngineEvent, type StepUsage } from "../port.ts";
import { createIdleWatch } from "./idle-watch.ts";
import { type ProviderFailure, readProviderFailure, toEngineError } from "./provider-error.ts";
import { createWellFormed } from "./well-formed.ts";

export interface ModelCallPolicy {
  /** Requests in all, the first one included. */
  readonly maxTries: number;
  /** Wait before the second try; doubled for each further one, plus up to as much again at random. */
  readonly backoffMs: number;
  /** A longer `Retry-After` is cut to this. */
  readonly maxRetryAfterMs: number;
  /** Longest silence of a provider, before its first chunk and between chunks. */
  readonly idleTimeoutMs: number;
}

export interface ModelCall {
  readonly model: LanguageModelV4;
  readonly apiKey: string | null;
  readonly prompt: LanguageModelV4Prompt;
  readonly tools: LanguageModelV4FunctionTool[];
  readonly step: number;
}

export interface ModelAnswer {
  readonly text: string;
  readonly reasoning: string;
  /** As the model wrote them; ids may be empty or repeat. */
  readonly toolCalls: readonly ToolCall[];
  readonly finishReason: string;
  readonly usage: StepUsage;
}

/**
 * One model call: yields its text and reasoning as they come, returns the whole. Tries again while nothing of it was
 * shown; afterwards, or when it is no use, throws an `EngineError`. On abort it stops at once and throws the signal's
 * reason, whatever the provider does at that moment (C-16).
 */
export async function* callModel(
  call: ModelCall,
  policy: ModelCallPolicy,
  signal: AbortSignal,
): AsyncGenerator<EngineEvent, ModelAnswer, undefined> {
  for (let attempt = 1; ; attempt++) {
    const answer = new Draft();
    try {
      yield* stream(call, policy, answer, signal);
      return answer.finished();
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof EngineError) throw error;
      const failure = readProviderFailure(error instanceof ErrorEvent ? error.cause : error, Date.now());
      if (failure === null) throw error;
      // What was shown cannot be asked for once more with a shorter prompt.
      if (failure.code === "compression_exhausted" && answer.shown)
        throw toEngineError({ ...failure, code: "error" }, call.apiKey);
      if (!failure.retryable || answer.shown || attempt >= policy.maxTries)
        throw toEngineError(failure, call.apiKey);
      const waitMs = retryDelayMs(failure, attempt, policy);
      yield retryWarning(failure, attempt + 1, policy.maxTries, waitMs);
      await delay(waitMs, undefined, { signal });
    }
  }
}

async function* stream(
  call: ModelCall,
  policy: ModelCallPolicy,
  answer: Draft,
  signal: AbortSignal,
): AsyncGenerator<EngineEvent, void, undefined> {
  signal.throwIfAborted();
  const request = new AbortController();
  let reader: ReadableStreamDefaultReader<LanguageModelV4StreamPart> | null = null;
  const stop = (reason: unknown): void => {
    request.abort(reason);
    // Frees the read at once, even when the provider's stream does not react to the abort.
    reader?.cancel().catch(() => undefined);
  };
  const onAbort = (): void => stop(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  const idle = createIdleWatch(policy.idleTimeoutMs, () => stop(silence(policy.idleTimeoutMs)));
  try {
    idle.begin();
    const { prompt, tools } = call;
    const result = await call.model.doStream({
      prompt,
      abortSignal: request.signal,
      ...(tools.length > 0 ? { tools } : {}),
    });
    reader = result.stream.getReader();
    for (;;) {
      idle.begin();
      const { done, value } = await reader.read();
      idle.end();
      request.signal.throwIfAborted();
      if (done) return;
      const event = answer.take(value, call.step);
      if (event !== null) yield event;
    }
  } catch (error) {
    request.signal.throwIfAborted();
    throw error;
  } finally {
    idle.stop();
    signal.removeEventListener("abort", onAbort);
    stop(new Error("the model call is over"));
  }
}

/** Puts an answer together from the provider's parts. */
class Draft {
  private text = "";
  private reasoning = "";
  private readonly toolCalls: ToolCall[] = [];
  private readonly textHalves = createWellFormed();
  private readonly reasoningHalves = createWellFormed();
  private finish: {
    readonly reason: LanguageModelV4FinishReason;
    readonly usage: LanguageModelV4Usage;
  } | null = null;

  /** Something of it was yielded, so another try would repeat it. */
  get shown(): boolean {
    return this.text !== "" || this.reasoning !== "";
  }

  /** The event that a part gives rise to, if any. Throws an `ErrorEvent` for the provider's error in the stream. */
  take(part: LanguageModelV4StreamPart, step: number): EngineEvent | null {
    switch (part.type) {
      case "text-delta":
        return this.addText(this.textHalves.push(part.delta), step);
      case "text-end":
        return this.addText(this.textHalves.end(), step);
      case "reasoning-delta":
        return this.addReasoning(this.reasoningHalves.push(part.delta), step);
      case "reasoning-end":
        return this.addReasoning(this.reasoningHalves.end(), step);
      case "tool-call": {
        const called = { name: part.toolName, arguments: part.input };
        this.toolCalls.push({ id: part.toolCallId, type: "function", function: called });
        return null;
      }
      case "finish":
        this.finish = { reason: part.finishReason, usage: part.usage };
        return null;
      case "error":
        throw new ErrorEvent(part.error);
      default:
        return null;
    }
  }

  /** Throws when the provider stopped without an answer. */
  finished(): ModelAnswer {
    const { text, reasoning, toolCalls, finish } = this;
    const reason = finish?.reason.unified;
    if (finish === null || reason === undefined || reason === "error" || reason === "interrupted")
      throw new EngineError("provider_unavailable", "The model provider broke its answer off.");
    if (text === "" && toolCalls.length === 0) throw emptyAnswer(reason);
    const finishReason = reason.replace("-", "_");
    return { text, reasoning, toolCalls, finishReason, usage: usageOf(finish.usage) };
  }

  private addText(text: string, step: number): EngineEvent | null {
    if (text === "") return null;
    this.text += text;
    return { type: "text", step, text };
  }

  private addReasoning(text: string, step: number): EngineEvent | null {
    if (text === "") return null;
    this.reasoning += text;
    return { type: "reasoning", step, text };
  }
}

/** The provider sent an error inside a stream that had begun; `cause` is what it sent. */
class ErrorEvent extends Error {
  constructor(cause: unknown) {
    super("error event in the provider's stream", { cause });
  }
}

const emptyAnswer = (reason: LanguageModelV4FinishReason["unified"]): EngineError => {
  if (reason === "length")
    return new EngineError("output_limit", "The model reached its output limit before it answered.");
  if (reason === "content-filter")
    return new EngineError("no_response", "The provider's content filter kept the answer back.");
  return new EngineError("no_response", "The model gave neither text nor a tool call.", {
    hint: "Try again, or choose another model.",
  });
};

const silence = (limitMs: number): EngineError =>
  new EngineError("provider_unavailable", `The model provider sent nothing for ${limitMs / 1000} s.`);

const usageOf = ({ inputTokens, outputTokens }: LanguageModelV4Usage): StepUsage => ({
  inputTokens: inputTokens.total ?? 0,
  outputTokens: outputTokens.total ?? 0,
  reasoningTokens: outputTokens.reasoning ?? 0,
  cacheReadTokens: inputTokens.cacheRead ?? 0,
});

const retryDelayMs = (failure: ProviderFailure, attempt: number, policy: ModelCallPolicy): number => {
  if (failure.retryAfterMs !== undefined) return Math.min(failure.retryAfterMs, policy.maxRetryAfterMs);
  const base = policy.backoffMs * 2 ** (attempt - 1);
  // Jitter keeps hundreds of runs that failed together from coming back together.
  return base + Math.random() * base;
};

const retryWarning = (failure: ProviderFailure, next: number, of: number, waitMs: number): EngineEvent => {
  const what =
    failure.status === undefined
      ? "The model provider cannot be reached"
      : `The model provider answered ${failure.status}`;
  const message = `${what}; trying again in ${(waitMs / 1000).toFixed(1)} s (try ${next} of ${of}).`;
  return { type: "warning", kind: "retry", message, retry: { status: failure.status ?? null, waitMs } };
};

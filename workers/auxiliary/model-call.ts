import type { LanguageModelV4, LanguageModelV4GenerateResult, LanguageModelV4Prompt } from "@ai-sdk/provider";
import { beforeAbort } from "../../common/base/bounded-wait.ts";
import type { RunErrorCode } from "../../common/contracts/run.ts";
import { answerText } from "../../common/titles/visible-text.ts";
import { readProviderFailure, toEngineError } from "../engines/builtin/provider-error.ts";

/** What a request may do without, by the names of the model interface. */
export type Option = "reasoning" | "temperature" | "maxOutputTokens";

export interface PromptMessage {
  readonly role: "system" | "user";
  readonly content: string;
}

export interface ModelCall {
  readonly model: LanguageModelV4;
  readonly apiKey: string | null;
  readonly prompt: readonly PromptMessage[];
  readonly temperature: number;
  readonly maxOutputTokens: number;
  /** Not sent: the provider rejects them. */
  readonly without: ReadonlySet<Option>;
  readonly timeoutMs: number;
}

export type ModelAnswer =
  /** `text` is without thinking; `cut`: the output limit ended it. */
  | { readonly kind: "text"; readonly text: string; readonly cut: boolean }
  /** Thoughts and nothing else: asking again would cost the same and yield the same (B-13). */
  | { readonly kind: "reasoning_only" }
  /** The request was refused as it stands. `parameter`: what the provider says is the fault, if it says so. */
  | { readonly kind: "rejected"; readonly parameter: Option | null; readonly message: string }
  | { readonly kind: "failed"; readonly reason: "timeout" | RunErrorCode; readonly message: string };

/**
 * One request for a text. Resolves whatever the provider does, within `timeoutMs`; rejects only with the reason of `signal`,
 * at once.
 */
export const callForText = async (call: ModelCall, signal: AbortSignal): Promise<ModelAnswer> => {
  signal.throwIfAborted();
  const late = AbortSignal.timeout(call.timeoutMs);
  const either = AbortSignal.any([signal, late]);
  try {
    // A client that does not react to its signal must not hold the job.
    return read(await beforeAbort(generate(call, either), either));
  } catch (error) {
    signal.throwIfAborted();
    if (late.aborted)
      return { kind: "failed", reason: "timeout", message: `no answer within ${call.timeoutMs / 1000} s` };
    return faultOf(error, call.apiKey);
  }
};

const generate = async (
  call: ModelCall,
  abortSignal: AbortSignal,
): Promise<LanguageModelV4GenerateResult> => {
  const { model, temperature, maxOutputTokens, without } = call;
  return model.doGenerate({
    prompt: call.prompt.map(({ role, content }): LanguageModelV4Prompt[number] =>
      role === "system" ? { role, content } : { role, content: [{ type: "text", text: content }] },
    ),
    abortSignal,
    ...(without.has("temperature") ? {} : { temperature }),
    ...(without.has("maxOutputTokens") ? {} : { maxOutputTokens }),
    // A model that thinks would spend the whole budget on it.
    ...(without.has("reasoning") ? {} : { reasoning: "none" as const }),
  });
};

const read = ({ content, finishReason, usage }: LanguageModelV4GenerateResult): ModelAnswer => {
  let text = "";
  let thought = (usage.outputTokens.reasoning ?? 0) > 0;
  for (const part of content) {
    if (part.type === "text") text += part.text;
    else if (part.type === "reasoning") thought = true;
  }
  const visible = answerText(text);
  if (visible === "" && (thought || text.trim() !== "")) return { kind: "reasoning_only" };
  return { kind: "text", text: visible, cut: finishReason.unified === "length" };
};

const faultOf = (error: unknown, apiKey: string | null): ModelAnswer => {
  const failure = readProviderFailure(error, Date.now());
  // No provider's doing: a bug, or a key that no header can hold. Background work does not fail by it; the message may quote the key.
  if (failure === null)
    return { kind: "failed", reason: "error", message: error instanceof Error ? error.name : typeof error };
  const { code, message } = toEngineError(failure, apiKey);
  if (failure.status === 400 || failure.status === 422)
    return { kind: "rejected", parameter: OPTIONS[failure.parameter ?? ""] ?? null, message };
  return { kind: "failed", reason: code, message };
};

/** What providers call the parameters. */
const OPTIONS: Readonly<Partial<Record<string, Option>>> = {
  temperature: "temperature",
  reasoning_effort: "reasoning",
  reasoning: "reasoning",
  thinking: "reasoning",
  max_tokens: "maxOutputTokens",
  max_completion_tokens: "maxOutputTokens",
};

import { SUMMARY_TOKENS } from "../../common/compression/prepare.ts";
import { summaryPrompt } from "../../common/compression/prompts.ts";
import type { Logger } from "../../common/logging/logger.ts";
import { type AuxiliaryDeps, type Calls, createAuxiliaryCalls } from "../auxiliary/calls.ts";
import type { Route } from "../auxiliary/route.ts";
import { EngineError } from "../engines/port.ts";

export interface SummaryRequest {
  /** The history, in order, as `historyParts` cut it. */
  readonly parts: readonly string[];
  /** What stands for the history before it; null: there is none. */
  readonly earlier: string | null;
  readonly focus: string | null;
  /** In the order in which they are tried. */
  readonly routes: readonly Route[];
  readonly signal: AbortSignal;
  readonly log: Pick<Logger, "debug">;
  /** Part n (from 1) is about to be asked for. */
  readonly onPart?: (n: number) => Promise<void>;
}

export type Summary =
  | { readonly kind: "summary"; readonly text: string }
  | { readonly kind: "failed"; readonly reason: string };

/** Resolves whatever the providers do; rejects with the reason of `signal`, soon after it aborts. Nothing said is logged. */
export type Summarise = (request: SummaryRequest) => Promise<Summary>;

/** A call may be repeated without what the provider rejects. */
const CALLS_PER_PART = 3;
const MAX_ANSWER_BYTES = 2 * 1024 * 1024;
/** A longer one is cut: it would take the room that it is to make. */
const MAX_SUMMARY_CHARS = 24_000;

/** Makes one summary of a history, part by part: each answer is what the next one starts from. */
export const createSummariser = (deps: Omit<AuxiliaryDeps, "maxAnswerBytes">): Summarise => {
  const openCalls = createAuxiliaryCalls({ ...deps, maxAnswerBytes: MAX_ANSWER_BYTES });
  return async ({ parts, earlier, focus, routes, signal, log, onPart }) => {
    signal.throwIfAborted();
    const calls = openCalls({ signal, log, max: parts.length * routes.length * CALLS_PER_PART });
    let soFar = earlier;
    for (const [index, part] of parts.entries()) {
      await onPart?.(index + 1);
      const { system, user } = summaryPrompt({ part, so_far: soFar, focus });
      const answer = await answerOf(calls, routes, [
        { role: "system", content: system },
        { role: "user", content: user },
      ]);
      if (answer.kind === "failed") return answer;
      soFar = answer.text;
    }
    return soFar === null ? { kind: "failed", reason: "no_text" } : { kind: "summary", text: soFar };
  };
};

const answerOf = async (
  calls: Calls,
  routes: readonly Route[],
  prompt: Parameters<Calls["ask"]>[2]["prompt"],
): Promise<Summary> => {
  let reason = "no_route";
  for (const route of routes) {
    const model = await calls.open(route);
    if (model instanceof EngineError) {
      reason = model.code;
      continue;
    }
    const answer = await calls.ask(route, model, { prompt, maxOutputTokens: SUMMARY_TOKENS });
    if (answer.kind === "text" && answer.text.trim() !== "")
      return { kind: "summary", text: answer.text.trim().slice(0, MAX_SUMMARY_CHARS) };
    reason = answer.kind === "failed" ? answer.reason : answer.kind === "text" ? "no_text" : answer.kind;
  }
  return { kind: "failed", reason };
};

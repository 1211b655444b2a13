import type { LanguageModelV4 } from "@ai-sdk/provider";
import type { RunErrorCode } from "../../common/contracts/run.ts";
import { EngineError } from "../engines/port.ts";
import type { Calls } from "./calls.ts";
import type { ModelAnswer, PromptMessage } from "./model-call.ts";
import type { Route } from "./route.ts";

export type Judged<T, R extends string> =
  | { readonly accepted: true; readonly value: T }
  | { readonly accepted: false; readonly reason: R };

export type BriefReason = "no_route" | "reasoning_only" | "timeout" | "cut" | RunErrorCode;

export interface Brief<T, R extends string> {
  readonly routes: readonly Route[];
  readonly prompt: readonly PromptMessage[];
  /** The second number is asked for once, when the first one cut the answer. */
  readonly outputTokens: readonly [number, number];
  /** `cut`: the last line of the text is not whole. */
  readonly judge: (text: string, cut: boolean) => Judged<T, R>;
}

/**
 * One short text by the first route that gives an acceptable one. An answer of thoughts alone ends the attempts: asking again would
 * cost the same and yield the same (background-jobs B-13). Rejects only with the reason of the budget's signal.
 */
export const askForBrief = async <T, R extends string>(
  calls: Calls,
  { routes, prompt, outputTokens, judge }: Brief<T, R>,
): Promise<Judged<T, R | BriefReason>> => {
  const read = (answer: ModelAnswer): Judged<T, R | BriefReason> =>
    answer.kind === "text" ? judge(answer.text, answer.cut) : { accepted: false, reason: reasonOf(answer) };

  const tryRoute = async (route: Route, model: LanguageModelV4): Promise<Judged<T, R | BriefReason>> => {
    const [first, more] = outputTokens;
    const answer = await calls.ask(route, model, { prompt, maxOutputTokens: first });
    if (answer.kind !== "text" || !answer.cut || calls.left <= 0) return read(answer);
    const longer = read(await calls.ask(route, model, { prompt, maxOutputTokens: more }));
    // What of the shorter one is whole is better than nothing.
    return longer.accepted ? longer : read(answer);
  };

  let last: Judged<T, R | BriefReason> = { accepted: false, reason: "no_route" };
  for (const route of routes) {
    if (calls.left <= 0) break;
    const model = await calls.open(route);
    last =
      model instanceof EngineError ? { accepted: false, reason: model.code } : await tryRoute(route, model);
    if (last.accepted || last.reason === "reasoning_only") break;
  }
  return last;
};

const reasonOf = (answer: Exclude<ModelAnswer, { kind: "text" }>): BriefReason => {
  switch (answer.kind) {
    case "reasoning_only":
      return "reasoning_only";
    case "rejected":
      return "error";
    case "failed":
      return answer.reason;
  }
};

import type { LanguageModelV4 } from "@ai-sdk/provider";
import type { RunErrorCode } from "../../common/contracts/run.ts";
import type { Logger } from "../../common/logging/logger.ts";
import { acceptTitle, type TitleFault } from "../../common/titles/accept.ts";
import { cleanTitle } from "../../common/titles/clean.ts";
import type { Exchange } from "../../common/titles/exchange.ts";
import { fallbackTitle } from "../../common/titles/fallback.ts";
import { type TitlePrompt, titlePrompts } from "../../common/titles/prompts.ts";
import { type AuxiliaryDeps, type Calls, createAuxiliaryCalls } from "../auxiliary/calls.ts";
import type { ModelAnswer } from "../auxiliary/model-call.ts";
import type { Route } from "../auxiliary/route.ts";
import { EngineError } from "../engines/port.ts";

/** Why a title was not generated: what was wrong with the last answer, or why there was none. */
export type TitleReason =
  | TitleFault
  | "cut"
  | "reasoning_only"
  | "timeout"
  | "no_route"
  | "no_text"
  | RunErrorCode;

export type TitleOutcome =
  | { readonly kind: "generated"; readonly title: string; readonly calls: number }
  /** Made from the user's words. */
  | {
      readonly kind: "fallback";
      readonly title: string;
      readonly calls: number;
      readonly reason: TitleReason;
    }
  /** The title stays as it is. */
  | { readonly kind: "none"; readonly calls: number; readonly reason: TitleReason };

export interface TitleRequest {
  readonly exchange: Exchange;
  /** At most two, in the order in which they are tried (`auxiliaryRoutes`). */
  readonly routes: readonly Route[];
  readonly signal: AbortSignal;
  readonly log: Pick<Logger, "debug">;
}

/**
 * Resolves whatever the providers do; rejects with the reason of `signal`, soon after it aborts. Nothing said in the exchange
 * is logged.
 */
export type GenerateTitle = (request: TitleRequest) => Promise<TitleOutcome>;

/** Limits of B-13 and background-jobs 1.2. */
const MAX_CALLS = 4;
const OUTPUT_TOKENS = 512;
const OUTPUT_TOKENS_ONCE_MORE = 1024;
const MAX_ROUTES = 2;
/** A title's answer with all that surrounds it is a few kilobytes. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/** Makes titles by model calls of its own (B-6). */
export const createTitleGenerator = (deps: Omit<AuxiliaryDeps, "maxAnswerBytes">): GenerateTitle => {
  const openCalls = createAuxiliaryCalls({ ...deps, maxAnswerBytes: MAX_ANSWER_BYTES });
  return async (request) => {
    const { exchange, signal, log } = request;
    signal.throwIfAborted();
    const prompts = titlePrompts(exchange);
    if (prompts.length === 0) return { kind: "none", calls: 0, reason: "no_text" };
    const calls = openCalls({ signal, log, max: MAX_CALLS });
    const result = await new TitleJob(request, calls).run(prompts);
    if (result.kind === "title") return { kind: "generated", title: result.title, calls: calls.made };
    const outcome = withoutModel(exchange, calls.made, result.reason);
    const fallback = outcome.kind === "fallback";
    log.debug({ calls: calls.made, reason: result.reason, fallback }, "no title was generated");
    return outcome;
  };
};

/** What is left when no model gave a title: the user's own words, where they make one (B-16). */
export const withoutModel = (exchange: Exchange, calls: number, reason: TitleReason): TitleOutcome => {
  const title = fallbackTitle(exchange.userText);
  return title === null ? { kind: "none", calls, reason } : { kind: "fallback", title, calls, reason };
};

type Result =
  | { readonly kind: "title"; readonly title: string }
  /** Another prompt may help. */
  | { readonly kind: "prompt_failed"; readonly reason: TitleReason }
  /** Another prompt would not help, another route may. */
  | { readonly kind: "route_failed"; readonly reason: TitleReason }
  /** Nothing would help. */
  | { readonly kind: "over"; readonly reason: TitleReason };

/** The attempts at one title: routes, prompts, and the calls they may make together. */
class TitleJob {
  private readonly request: TitleRequest;
  private readonly calls: Calls;

  constructor(request: TitleRequest, calls: Calls) {
    this.request = request;
    this.calls = calls;
  }

  async run(prompts: readonly TitlePrompt[]): Promise<Result> {
    let last: Result = { kind: "over", reason: "no_route" };
    for (const route of this.request.routes.slice(0, MAX_ROUTES)) {
      if (this.calls.left <= 0) break;
      last = await this.tryRoute(route, prompts);
      if (last.kind === "title" || last.kind === "over") break;
    }
    return last;
  }

  private async tryRoute(route: Route, prompts: readonly TitlePrompt[]): Promise<Result> {
    let last: Result = { kind: "route_failed", reason: "no_route" };
    const model = await this.calls.open(route);
    if (model instanceof EngineError) return { kind: "route_failed", reason: model.code };
    for (const prompt of prompts) {
      if (this.calls.left <= 0) break;
      last = await this.tryPrompt(route, model, prompt);
      if (last.kind !== "prompt_failed") break;
    }
    return last;
  }

  private async tryPrompt(route: Route, model: LanguageModelV4, prompt: TitlePrompt): Promise<Result> {
    const first = await this.calls.ask(route, model, { prompt, maxOutputTokens: OUTPUT_TOKENS });
    const result = this.judge(first);
    const wasCut = first.kind === "text" && first.cut;
    if (!wasCut || result.kind === "title" || this.calls.left <= 0) return result;
    const more = { prompt, maxOutputTokens: OUTPUT_TOKENS_ONCE_MORE };
    return this.judge(await this.calls.ask(route, model, more));
  }

  private judge(answer: ModelAnswer): Result {
    switch (answer.kind) {
      case "reasoning_only":
        return { kind: "over", reason: "reasoning_only" };
      case "rejected":
        return { kind: "route_failed", reason: "error" };
      case "failed":
        return { kind: "route_failed", reason: answer.reason };
      case "text": {
        // The last line of a cut answer is not whole.
        const lineEnd = answer.text.lastIndexOf("\n");
        if (answer.cut && lineEnd < 0) return { kind: "prompt_failed", reason: "cut" };
        const text = answer.cut ? answer.text.slice(0, lineEnd) : answer.text;
        const verdict = acceptTitle(cleanTitle(text), this.request.exchange.userText);
        return verdict.accepted
          ? { kind: "title", title: verdict.title }
          : { kind: "prompt_failed", reason: verdict.reason };
      }
    }
  }
}

import type { LanguageModelV4 } from "@ai-sdk/provider";
import { boundedResponse } from "../../common/base/bounded-response.ts";
import type { RunErrorCode } from "../../common/contracts/run.ts";
import type { Logger } from "../../common/logging/logger.ts";
import { acceptTitle, type TitleFault } from "../../common/titles/accept.ts";
import { cleanTitle } from "../../common/titles/clean.ts";
import type { Exchange } from "../../common/titles/exchange.ts";
import { fallbackTitle } from "../../common/titles/fallback.ts";
import { type TitlePrompt, titlePrompts } from "../../common/titles/prompts.ts";
import { createModels, type DemoEndpoint, type Models } from "../engines/builtin/models.ts";
import { EngineError } from "../engines/port.ts";
import { createRefusals, type Refusals } from "./refusals.ts";
import type { TitleRoute } from "./route.ts";
import { callForTitle, type Option, type TitleAnswer } from "./title-call.ts";

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
  /** At most two, in the order in which they are tried (`titleRoutes`). */
  readonly routes: readonly TitleRoute[];
  readonly signal: AbortSignal;
  readonly log: Pick<Logger, "debug">;
}

/**
 * Resolves whatever the providers do; rejects with the reason of `signal`, soon after it aborts. Nothing said in the exchange
 * is logged.
 */
export type GenerateTitle = (request: TitleRequest) => Promise<TitleOutcome>;

export interface TitleGeneratorDeps {
  readonly demo: DemoEndpoint;
  readonly fetch?: typeof fetch;
}

/** Limits of B-13 and background-jobs 1.2. */
const MAX_CALLS = 4;
const OUTPUT_TOKENS = 512;
const OUTPUT_TOKENS_ONCE_MORE = 1024;
const MAX_ROUTES = 2;
/** A title's answer with all that surrounds it is a few kilobytes. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/**
 * Makes titles with model clients of its own: no run's client or reasoning setting is touched (B-6). What a provider refused to
 * be sent is remembered as long as the generator lives.
 */
export const createTitleGenerator = (deps: TitleGeneratorDeps): GenerateTitle => {
  const ask = deps.fetch ?? fetch;
  const models = createModels({
    demo: deps.demo,
    // Gives up on endless answers (security-contract 11).
    fetch: async (input, init) => boundedResponse(await ask(input, init), MAX_ANSWER_BYTES),
  });
  const refusals = createRefusals();
  return async (request) => {
    const { exchange, signal, log } = request;
    signal.throwIfAborted();
    const prompts = titlePrompts(exchange);
    if (prompts.length === 0) return { kind: "none", calls: 0, reason: "no_text" };
    const job = new TitleJob({ models, refusals }, request);
    const result = await job.run(prompts);
    if (result.kind === "title") return { kind: "generated", title: result.title, calls: job.calls };
    const outcome = withoutModel(exchange, job.calls, result.reason);
    const fallback = outcome.kind === "fallback";
    log.debug({ calls: job.calls, reason: result.reason, fallback }, "no title was generated");
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
  calls = 0;
  private readonly deps: { readonly models: Models; readonly refusals: Refusals };
  private readonly request: TitleRequest;

  constructor(deps: { readonly models: Models; readonly refusals: Refusals }, request: TitleRequest) {
    this.deps = deps;
    this.request = request;
  }

  async run(prompts: readonly TitlePrompt[]): Promise<Result> {
    let last: Result = { kind: "over", reason: "no_route" };
    for (const route of this.request.routes.slice(0, MAX_ROUTES)) {
      if (this.calls >= MAX_CALLS) break;
      last = await this.tryRoute(route, prompts);
      if (last.kind === "title" || last.kind === "over") break;
    }
    return last;
  }

  private async tryRoute(route: TitleRoute, prompts: readonly TitlePrompt[]): Promise<Result> {
    let last: Result = { kind: "route_failed", reason: "no_route" };
    const model = await this.open(route);
    if (model instanceof EngineError) return { kind: "route_failed", reason: model.code };
    for (const prompt of prompts) {
      if (this.calls >= MAX_CALLS) break;
      last = await this.tryPrompt(route, model, prompt);
      if (last.kind !== "prompt_failed") break;
    }
    return last;
  }

  private async open({ name, model }: TitleRoute): Promise<LanguageModelV4 | EngineError> {
    try {
      return await this.deps.models.get(model);
    } catch (error) {
      this.request.signal.throwIfAborted();
      const failure =
        error instanceof EngineError ? error : new EngineError("error", "The model cannot be opened.");
      this.request.log.debug({ route: name, reason: failure.message }, "no model for a title");
      return failure;
    }
  }

  private async tryPrompt(route: TitleRoute, model: LanguageModelV4, prompt: TitlePrompt): Promise<Result> {
    const first = await this.ask(route, model, prompt, OUTPUT_TOKENS);
    const result = this.judge(first);
    const wasCut = first.kind === "text" && first.cut;
    if (!wasCut || result.kind === "title" || this.calls >= MAX_CALLS) return result;
    return this.judge(await this.ask(route, model, prompt, OUTPUT_TOKENS_ONCE_MORE));
  }

  /** One answer; again without what the provider rejects, as long as that gets any further. */
  private async ask(
    route: TitleRoute,
    model: LanguageModelV4,
    prompt: TitlePrompt,
    maxOutputTokens: number,
  ): Promise<TitleAnswer> {
    const { signal, log } = this.request;
    const { temperature, timeoutMs } = route;
    const without = new Set(this.deps.refusals.of(route.model));
    for (;;) {
      this.calls++;
      const call = {
        model,
        apiKey: route.model.apiKey,
        prompt,
        temperature,
        maxOutputTokens,
        without,
        timeoutMs,
      };
      const answer = await callForTitle(call, signal);
      log.debug({ route: route.name, call: this.calls, ...summaryOf(answer) }, "asked for a title");
      if (answer.kind !== "rejected") {
        // Only now is it known that what was dropped without being named was the fault.
        if (answer.kind !== "failed") this.deps.refusals.keep(route.model, without);
        return answer;
      }
      const dropped = droppable(answer.parameter, without);
      if (dropped.length === 0 || this.calls >= MAX_CALLS) return answer;
      for (const option of dropped) without.add(option);
      if (answer.parameter !== null) this.deps.refusals.keep(route.model, without);
    }
  }

  private judge(answer: TitleAnswer): Result {
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

/** The parameter that the provider names; without a name all that are only wishes. */
const droppable = (named: Option | null, without: ReadonlySet<Option>): readonly Option[] =>
  (named === null ? (["reasoning", "temperature"] as const) : [named]).filter(
    (option) => !without.has(option),
  );

const summaryOf = (answer: TitleAnswer): Record<string, unknown> => {
  switch (answer.kind) {
    case "text":
      return { answer: "text", cut: answer.cut };
    case "reasoning_only":
      return { answer: "reasoning only" };
    case "rejected":
      return { answer: "rejected", parameter: answer.parameter, why: answer.message };
    case "failed":
      return { answer: "failed", reason: answer.reason, why: answer.message };
  }
};

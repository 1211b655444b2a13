import type { LanguageModelV4 } from "@ai-sdk/provider";
import { boundedResponse } from "../../common/base/bounded-response.ts";
import type { Logger } from "../../common/logging/logger.ts";
import { createModels, type DemoEndpoint, type Models } from "../engines/builtin/models.ts";
import { EngineError } from "../engines/port.ts";
import { callForText, type ModelAnswer, type ModelCall, type Option } from "./model-call.ts";
import { createRefusals, type Refusals } from "./refusals.ts";
import type { Route } from "./route.ts";

export interface AuxiliaryDeps {
  readonly demo: DemoEndpoint;
  readonly fetch?: typeof fetch;
  /** Of one answer: endless ones are given up (security-contract 11). */
  readonly maxAnswerBytes: number;
}

/** How many calls a piece of background work may make, and until when. */
export interface CallBudget {
  readonly max: number;
  readonly signal: AbortSignal;
  /** Nothing that was said is logged. */
  readonly log: Pick<Logger, "debug">;
}

export type Asked = Pick<ModelCall, "prompt" | "maxOutputTokens">;

/**
 * Model calls of background work, with clients of their own: no run's client or reasoning setting is touched (B-6). What a
 * provider refused to be sent is remembered as long as this lives.
 */
export const createAuxiliaryCalls = (deps: AuxiliaryDeps): ((budget: CallBudget) => Calls) => {
  const ask = deps.fetch ?? fetch;
  const models = createModels({
    demo: deps.demo,
    fetch: async (input, init) => boundedResponse(await ask(input, init), deps.maxAnswerBytes),
  });
  const refusals = createRefusals();
  return (budget) => new Calls({ models, refusals }, budget);
};

/** The calls of one piece of work, counted. */
export class Calls {
  made = 0;
  private readonly deps: { readonly models: Models; readonly refusals: Refusals };
  private readonly budget: CallBudget;

  constructor(deps: { readonly models: Models; readonly refusals: Refusals }, budget: CallBudget) {
    this.deps = deps;
    this.budget = budget;
  }

  get left(): number {
    return this.budget.max - this.made;
  }

  /** Rejects only with the reason of the budget's signal. */
  async open({ name, model }: Route): Promise<LanguageModelV4 | EngineError> {
    const { signal, log } = this.budget;
    try {
      return await this.deps.models.get(model);
    } catch (error) {
      signal.throwIfAborted();
      const failure =
        error instanceof EngineError ? error : new EngineError("error", "The model cannot be opened.");
      log.debug({ route: name, reason: failure.message }, "no model for background work");
      return failure;
    }
  }

  /** One answer; again without what the provider rejects, as long as that gets any further. */
  async ask(route: Route, model: LanguageModelV4, asked: Asked): Promise<ModelAnswer> {
    const { signal, log } = this.budget;
    const { refusals } = this.deps;
    const { temperature, timeoutMs } = route;
    const without = new Set(refusals.of(route.model));
    for (;;) {
      this.made++;
      const call = { ...asked, model, apiKey: route.model.apiKey, temperature, without, timeoutMs };
      const answer = await callForText(call, signal);
      log.debug({ route: route.name, call: this.made, ...summaryOf(answer) }, "asked for background work");
      if (answer.kind !== "rejected") {
        // Only now is it known that what was dropped without being named was the fault.
        if (answer.kind !== "failed") refusals.keep(route.model, without);
        return answer;
      }
      const dropped = droppable(answer.parameter, without);
      if (dropped.length === 0 || this.left <= 0) return answer;
      for (const option of dropped) without.add(option);
      if (answer.parameter !== null) refusals.keep(route.model, without);
    }
  }
}

/** The parameter that the provider names; without a name all that are only wishes. */
const droppable = (named: Option | null, without: ReadonlySet<Option>): readonly Option[] =>
  (named === null ? (["reasoning", "temperature"] as const) : [named]).filter(
    (option) => !without.has(option),
  );

const summaryOf = (answer: ModelAnswer): Record<string, unknown> => {
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

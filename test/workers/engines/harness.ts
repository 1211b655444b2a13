import { createBuiltinEngine, DEFAULT_POLICY } from "../../../workers/engines/builtin/engine.ts";
import type { ModelCallPolicy } from "../../../workers/engines/builtin/model-call.ts";
import type { Engine, EngineContext, EngineEvent } from "../../../workers/engines/port.ts";
import type { Tool } from "../../../workers/tools/tool.ts";

/** An engine whose waits are short; it has no demo model unless one is given. */
export const testEngine = (
  options: {
    readonly tools?: readonly Tool[];
    readonly policy?: Partial<ModelCallPolicy>;
    readonly demo?: { baseUrl(): Promise<string> };
    readonly fetch?: typeof fetch;
  } = {},
): Engine =>
  createBuiltinEngine({
    tools: options.tools ?? [],
    demo: options.demo ?? { baseUrl: () => Promise.reject(new Error("no demo model here")) },
    policy: { ...DEFAULT_POLICY, backoffMs: 1, ...options.policy },
    ...(options.fetch ? { fetch: options.fetch } : {}),
  });

/** The context of a first attempt with one user message, spoken to `baseUrl`. */
export const contextFor = (baseUrl: string, changes: Partial<EngineContext> = {}): EngineContext => ({
  runId: "run_1",
  sessionId: "ses_1",
  attempt: 1,
  instructions: "",
  messages: [{ role: "user", content: "hello" }],
  steps: [],
  tools: [],
  profileTools: [],
  model: { provider: "custom", model: "fake", baseUrl, apiKey: null },
  workspace: "/nonexistent",
  childEnv: {},
  maxSteps: 20,
  ...changes,
});

/** The context that asks the model server for `directives`. */
export const directed = (
  baseUrl: string,
  directives: string,
  changes: Partial<EngineContext> = {},
): EngineContext =>
  contextFor(baseUrl, { messages: [{ role: "user", content: `go [[fake ${directives}]]` }], ...changes });

export interface Outcome {
  readonly events: readonly EngineEvent[];
  /** What the generator threw, `null` when it ended. */
  readonly error: unknown;
}

/** Runs to the end and keeps everything, also what came before an error. */
export const collect = async (
  engine: Engine,
  context: EngineContext,
  signal: AbortSignal = new AbortController().signal,
): Promise<Outcome> => {
  const events: EngineEvent[] = [];
  try {
    for await (const event of engine.run(context, signal)) events.push(event);
    return { events, error: null };
  } catch (error) {
    return { events, error };
  }
};

export const ofType = <Type extends EngineEvent["type"]>(
  events: readonly EngineEvent[],
  type: Type,
): readonly Extract<EngineEvent, { type: Type }>[] =>
  events.filter((event): event is Extract<EngineEvent, { type: Type }> => event.type === type);

export const textOf = (events: readonly EngineEvent[], type: "text" | "reasoning" = "text"): string =>
  ofType(events, type)
    .map((event) => event.text)
    .join("");

import type { LanguageModelV4FunctionTool } from "@ai-sdk/provider";
import type { ToolCall } from "../../../common/contracts/message.ts";
import type { Tool } from "../../tools/tool.ts";
import {
  type Engine,
  type EngineContext,
  EngineError,
  type EngineEvent,
  type RecordedTool,
} from "../port.ts";
import { FittedContext } from "./fit-context.ts";
import { callModel, type ModelAnswer, type ModelCall, type ModelCallPolicy } from "./model-call.ts";
import { createModels, type DemoEndpoint } from "./models.ts";
import { runCalls } from "./tool-calls.ts";

export interface BuiltinEngineDeps {
  /** Those that every run has. */
  readonly tools: readonly Tool[];
  readonly demo: DemoEndpoint;
  readonly policy?: Partial<ModelCallPolicy>;
  readonly fetch?: typeof fetch;
}

export const DEFAULT_POLICY: ModelCallPolicy = {
  maxTries: 5,
  backoffMs: 250,
  maxRetryAfterMs: 30_000,
  idleTimeoutMs: 300_000,
};

/**
 * The engine of the house: model calls and tool calls in turn, until the model answers without a call. It keeps nothing
 * between events that its context could not tell a later attempt, so it resumes after the last recorded step.
 */
export const createBuiltinEngine = (deps: BuiltinEngineDeps): Engine => {
  const models = createModels(deps.fetch ? { demo: deps.demo, fetch: deps.fetch } : { demo: deps.demo });
  const policy = { ...DEFAULT_POLICY, ...deps.policy };

  async function* steps(
    context: EngineContext,
    signal: AbortSignal,
  ): AsyncGenerator<EngineEvent, void, undefined> {
    signal.throwIfAborted();
    const tools = toolsOf(deps.tools, context.profileTools);
    const functions = [...tools.values()].map(toFunction);
    const { workspace, childEnv, processes } = context;
    const toolContext = { workspace, childEnv, signal, processes };
    const fitted = new FittedContext(context, functions);
    const usedIds = new Set<string>();
    let step = 0;

    for (const recorded of context.steps) {
      step = recorded.step;
      // A recorded step without calls was the answer; nothing is left to do.
      if (recorded.toolCalls.length === 0) return;
      for (const call of recorded.toolCalls) usedIds.add(call.id);
      const records = recordsOf(context.tools, step);
      const results = yield* runCalls(tools, { step, calls: recorded.toolCalls, records }, toolContext);
      fitted.add({ ...recorded, results });
    }

    const model = await models.get(context.model);
    while (step < context.maxSteps) {
      step++;
      yield* fitted.makeRoom(signal);
      const call = { model, apiKey: context.model.apiKey, tools: functions, step };
      const answer = yield* callFitted(call, fitted, policy, signal);
      const toolCalls = withOwnIds(answer.toolCalls, step, usedIds);
      yield { type: "step_end", step, ...answer, toolCalls };
      if (toolCalls.length === 0) return;
      const results = yield* runCalls(tools, { step, calls: toolCalls, records: new Map() }, toolContext);
      fitted.add({ ...answer, results });
    }
    yield { type: "step_limit" };
  }

  return {
    resumable: true,
    async *run(context, signal) {
      try {
        yield* steps(context, signal);
      } catch (error) {
        // Whatever broke while the run was being stopped, the stop is the outcome (C-16).
        signal.throwIfAborted();
        throw error;
      }
    },
  };
};

/** A model call that makes room and tries again where the provider finds the conversation too long. */
async function* callFitted(
  call: Omit<ModelCall, "prompt">,
  fitted: FittedContext,
  policy: ModelCallPolicy,
  signal: AbortSignal,
): AsyncGenerator<EngineEvent, ModelAnswer, undefined> {
  for (;;) {
    try {
      return yield* callModel({ ...call, prompt: fitted.prompt() }, policy, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof EngineError) || error.code !== "compression_exhausted") throw error;
      if (!(yield* fitted.makeRoomAfterRefusal(signal))) throw error;
    }
  }
}

/** By name, in order; of two with one name the first counts. */
const toolsOf = (...sources: readonly (readonly Tool[])[]): ReadonlyMap<string, Tool> => {
  const tools = new Map<string, Tool>();
  for (const tool of sources.flat()) if (!tools.has(tool.name)) tools.set(tool.name, tool);
  return tools;
};

const toFunction = ({ name, description, inputSchema }: Tool): LanguageModelV4FunctionTool => ({
  type: "function",
  name,
  description,
  inputSchema,
});

const recordsOf = (tools: readonly RecordedTool[], step: number): ReadonlyMap<string, RecordedTool> =>
  new Map(tools.filter((tool) => tool.step === step).map((tool) => [tool.callId, tool]));

/** Some providers give no ids or count from 0 in every answer; within a run each call gets one of its own. */
const withOwnIds = (calls: readonly ToolCall[], step: number, used: Set<string>): readonly ToolCall[] =>
  calls.map((call, index) => {
    const id = call.id !== "" && !used.has(call.id) ? call.id : `${call.id || "call"}_s${step}_${index}`;
    used.add(id);
    return { ...call, id };
  });

import { messageOf } from "../../../common/base/errors.ts";
import type { ToolCall } from "../../../common/contracts/message.ts";
import { failed, type PreparedCall, type Tool, type ToolContext, type ToolResult } from "../../tools/tool.ts";
import type { EngineEvent, RecordedTool } from "../port.ts";
import type { CallResult } from "./prompt.ts";

export const UNKNOWN_OUTCOME =
  "The outcome of this call is unknown: the worker stopped while it ran. It may or may not have taken effect. " +
  "It was not run again. Check the state before you repeat it.";

/** How long a stopped run waits for its tool to end what it started. */
const STOP_GRACE_MS = 1500;

export interface StepCalls {
  readonly step: number;
  readonly calls: readonly ToolCall[];
  /** What earlier attempts recorded of this step, by call id. */
  readonly records: ReadonlyMap<string, RecordedTool>;
}

/**
 * Runs the calls of one step, one after another, and returns their results in order. What an earlier attempt recorded is
 * reused; a call in doubt is run again only when its tool is idempotent (DESIGN 6.6). `tool_start` is yielded for
 * calls that run now, so a call that cannot run has only a `tool_end`.
 */
export async function* runCalls(
  tools: ReadonlyMap<string, Tool>,
  { step, calls, records }: StepCalls,
  context: ToolContext,
): AsyncGenerator<EngineEvent, readonly CallResult[], undefined> {
  const results: CallResult[] = [];
  for (const call of calls) {
    const record = records.get(call.id);
    if (record?.outcome === "done") {
      results.push({ call, content: record.result, isError: record.isError });
      continue;
    }
    const tool = tools.get(call.function.name);
    if (record?.outcome === "unknown" && tool?.idempotent !== true) {
      yield toolEnd(step, call, failed(UNKNOWN_OUTCOME), "unknown", 0);
      results.push({ call, content: UNKNOWN_OUTCOME, isError: true });
      continue;
    }
    const prepared = prepare(tool, call, tools);
    if (!prepared.ok) {
      yield toolEnd(step, call, failed(prepared.problem), "done", 0);
      results.push({ call, content: prepared.problem, isError: true });
      continue;
    }
    context.signal.throwIfAborted();
    yield { type: "tool_start", step, call, idempotent: tool?.idempotent === true };
    context.signal.throwIfAborted();
    const startedMs = performance.now();
    const result = await run(prepared, context);
    yield toolEnd(step, call, result, "done", (performance.now() - startedMs) / 1000);
    results.push({ call, ...result });
  }
  return results;
}

const prepare = (
  tool: Tool | undefined,
  call: ToolCall,
  tools: ReadonlyMap<string, Tool>,
): ReturnType<Tool["prepare"]> => {
  const { name, arguments: text } = call.function;
  if (tool === undefined) {
    const known = [...tools.keys()].join(", ") || "none";
    return { ok: false, problem: `There is no tool called "${name}". Available tools: ${known}.` };
  }
  let args: unknown;
  try {
    args = text.trim() === "" ? {} : JSON.parse(text);
  } catch (error) {
    return { ok: false, problem: `The arguments are not valid JSON: ${messageOf(error)}` };
  }
  const prepared = tool.prepare(args);
  if (prepared.ok) return prepared;
  return { ok: false, problem: `The arguments do not fit the tool "${name}":\n${prepared.problem}` };
};

/** The tool's result; what it threw is a result, too. Throws the signal's reason when the run was stopped. */
const run = async (prepared: PreparedCall, context: ToolContext): Promise<ToolResult> => {
  const { signal } = context;
  const running = prepared
    .run(context)
    .catch((error: unknown) => failed(`The tool failed: ${messageOf(error)}`));
  let release: () => void = () => undefined;
  const stopped = new Promise<null>((resolve) => {
    release = () => setTimeout(resolve, STOP_GRACE_MS, null).unref();
  });
  signal.addEventListener("abort", release, { once: true });
  try {
    const result = await Promise.race([running, stopped]);
    signal.throwIfAborted();
    return result ?? failed("stopped");
  } finally {
    signal.removeEventListener("abort", release);
  }
};

const toolEnd = (
  step: number,
  call: ToolCall,
  { content, isError }: ToolResult,
  outcome: "done" | "unknown",
  durationS: number,
): EngineEvent => ({ type: "tool_end", step, call, result: content, isError, outcome, durationS });

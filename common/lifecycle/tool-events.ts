import { isRecord } from "../base/record.ts";
import { abandonedResult } from "../contracts/abandoned-result.ts";
import type { RunEvent } from "../contracts/events.ts";
import type { ToolCall } from "../contracts/message.ts";
import type { RunView, ToolPart } from "../contracts/run-view.ts";

/** Bounds of what an event shows of a call (run-events R-5); the transcript keeps the whole. */
const MAX_STRING = 8_192;
const MAX_TOTAL = 65_536;
const MAX_ITEMS = 64;
const MAX_DEPTH = 8;
const MAX_RESULT = 4_000;

export const toolEvent = (step: number, call: ToolCall): RunEvent => ({
  event: "tool",
  payload: {
    event_type: "tool.started",
    step,
    tid: call.id,
    name: call.function.name,
    preview: null,
    ...displayArgs(call),
  },
});

export const toolCompleteEvent = (
  step: number,
  call: ToolCall,
  end: {
    readonly result: string;
    readonly isError: boolean;
    readonly outcome: "done" | "stopped" | "unknown";
    readonly durationS: number | null;
  },
): RunEvent => ({
  event: "tool_complete",
  payload: {
    event_type: "tool.completed",
    step,
    tid: call.id,
    name: call.function.name,
    ...displayArgs(call),
    preview: end.result.slice(0, MAX_RESULT),
    ...(end.result.length > MAX_RESULT ? { truncated: true } : {}),
    ...(end.durationS === null ? {} : { duration: end.durationS }),
    is_error: end.isError,
    outcome: end.outcome,
  },
});

/** Ends of the tools that a run's end finds open (R-7: none is left running). */
export const abandonedTools = (view: RunView, outcome: "stopped" | "unknown"): RunEvent[] =>
  view.parts
    .filter((part): part is ToolPart => part.kind === "tool" && part.result === null)
    .map((part) => ({
      event: "tool_complete",
      payload: {
        event_type: "tool.completed",
        step: part.step,
        tid: part.tid,
        name: part.name,
        args: part.args,
        preview: abandonedResult(outcome),
        is_error: true,
        outcome,
      },
    }));

/** True for a result that stands for a missing one. */
export const isAbandoned = (result: string): boolean =>
  result === abandonedResult("stopped") || result === abandonedResult("unknown");

const displayArgs = (call: ToolCall): { args: Record<string, unknown>; truncated?: true } => {
  const budget = { left: MAX_TOTAL, cut: false };
  let parsed: unknown;
  try {
    parsed = JSON.parse(call.function.arguments);
  } catch {
    parsed = { arguments: call.function.arguments };
  }
  const bounded = bound(parsed, budget, 0);
  const args = isRecord(bounded) ? bounded : { value: bounded };
  return { args, ...(budget.cut ? { truncated: true as const } : {}) };
};

const bound = (value: unknown, budget: { left: number; cut: boolean }, depth: number): unknown => {
  if (typeof value === "string") {
    const room = Math.max(0, Math.min(MAX_STRING, budget.left));
    budget.left -= Math.min(value.length, room);
    if (value.length <= room) return value;
    budget.cut = true;
    return value.slice(0, room);
  }
  if (typeof value !== "object" || value === null) return value;
  if (depth >= MAX_DEPTH) {
    budget.cut = true;
    return "…";
  }
  if (Array.isArray(value)) {
    if (value.length > MAX_ITEMS) budget.cut = true;
    return value.slice(0, MAX_ITEMS).map((item) => bound(item, budget, depth + 1));
  }
  const entries = Object.entries(value);
  if (entries.length > MAX_ITEMS) budget.cut = true;
  return Object.fromEntries(
    entries.slice(0, MAX_ITEMS).map(([key, item]) => [key.slice(0, 256), bound(item, budget, depth + 1)]),
  );
};

import { type MergeOptions, mergeWithOrigins } from "../../../common/reconcile/merge.ts";
import type { Row } from "../../../common/reconcile/row.ts";

type Extra = Record<string, unknown>;

export const user = (content: unknown, timestamp?: unknown, extra: Extra = {}): Row => ({
  role: "user",
  content,
  ...(timestamp === undefined ? {} : { timestamp }),
  ...extra,
});

export const answer = (content: unknown, timestamp?: unknown, extra: Extra = {}): Row => ({
  ...user(content, timestamp, extra),
  role: "assistant",
});

export const result = (content: unknown, timestamp?: unknown, id?: string, extra: Extra = {}): Row => ({
  ...user(content, timestamp, extra),
  role: "tool",
  ...(id === undefined ? {} : { tool_call_id: id }),
});

/** An assistant row that calls tools with these ids. */
export const call = (ids: readonly string[], timestamp?: unknown, extra: Extra = {}): Row =>
  answer("", timestamp, { tool_calls: ids.map(toolCall), ...extra });

export const toolCall = (id: string): Extra => ({
  id,
  type: "function",
  function: { name: "terminal", arguments: "{}" },
});

/** The merged transcript as origins: "L0 D2 L1" is local row 0, store row 2, local row 1. */
export const trace = (
  sidecar: readonly unknown[],
  store: readonly unknown[],
  options: MergeOptions = {},
): string =>
  mergeWithOrigins(sidecar, store, options)
    .map((row) => (row.sidecar === null ? `D${row.store}` : `L${row.sidecar}`))
    .join(" ");

/** A table line: behaviour and rule, both sides, what must come out, options. */
export type Edge = readonly [
  name: string,
  sidecar: readonly unknown[],
  store: readonly unknown[],
  expected: string,
  options?: MergeOptions,
];

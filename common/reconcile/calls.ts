import { parseNested, stableJson } from "./json.ts";
import { isRow } from "./row.ts";

/** The tool calls of a row in canonical form (R5). */
export interface Calls {
  /** "" without calls; otherwise JSON with sorted keys. JSON text and a parsed list are the same calls. */
  readonly text: string;
  /** Ids of all calls in order; empty if there are none or one of them has no id. */
  readonly ids: readonly string[];
}

const NONE: Calls = { text: "", ids: [] };

/** Reads `tool_calls`: a list, JSON text (also encoded twice) or nothing; empty is absent. Arguments stay as written. */
export const readCalls = (value: unknown): Calls => {
  if (value === null || value === undefined || value === false) return NONE;
  if (typeof value === "string") {
    if (value.trim() === "") return NONE;
    const parsed = parseNested(value);
    return typeof parsed === "object" ? readCalls(parsed) : { text: value.trim(), ids: [] };
  }
  if (Array.isArray(value) ? value.length === 0 : !isRow(value) || Object.keys(value).length === 0)
    return NONE;
  const ids = (Array.isArray(value) ? value : [value]).map(idOf);
  return { text: stableJson(value), ids: ids.includes("") ? [] : ids };
};

const idOf = (call: unknown): string => {
  const id = isRow(call) ? call.id : undefined;
  return typeof id === "string" || typeof id === "number" ? String(id) : "";
};

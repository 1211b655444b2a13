import type { Facts } from "./facts.ts";
import { parseNested } from "./json.ts";
import { isRow, type Row } from "./row.ts";

/** True for a store row a person sees: R22 on a row of the display set. */
export const isDisplayable = (facts: Facts): boolean => {
  const { row, role } = facts;
  if (role !== "user" && role !== "assistant" && role !== "tool") return false;
  if (row.display_kind === "hidden" || isModelOnly(row) || isSummary(facts)) return false;
  return facts.text !== "" || facts.calls !== "" || (role === "tool" && facts.toolCallId !== null);
};

/** True for the summary note of a compaction (a.8), by flag or by how it starts. */
export const isSummary = ({ row, text }: Facts): boolean =>
  FLAG_SET.includes(row._compressed_summary) ||
  text.slice(0, SUMMARY_START.length).toLowerCase() === SUMMARY_START;

/**
 * The real text that a summary row carries besides the summary, or null (a.8). The store reader shows it as the row's
 * text, without the flag, unless an equal message is displayed already; the merge itself treats carriers as summaries.
 */
export const carriedText = (text: string): string | null => {
  const end = text.indexOf(SUMMARY_END);
  if (end >= 0) {
    const lineEnd = text.indexOf("---", end + SUMMARY_END.length);
    return nonBlank(lineEnd < 0 ? "" : text.slice(lineEnd + 3));
  }
  const before = text.indexOf(CARRIER_START);
  return before < 0 ? null : nonBlank(text.slice(0, before));
};

const FLAG_SET: readonly unknown[] = [1, true, "1"];
const SUMMARY_START = "[context compaction";
const SUMMARY_END = "--- END OF CONTEXT SUMMARY";
const CARRIER_START = "[END OF PRIOR CONTEXT — COMPACTION SUMMARY BELOW]";

const nonBlank = (text: string): string | null => (text.trim() === "" ? null : text.trim());

/** `display_metadata` is an object or JSON text of one, sometimes encoded twice. */
const isModelOnly = (row: Row): boolean => {
  const metadata =
    typeof row.display_metadata === "string" ? parseNested(row.display_metadata) : row.display_metadata;
  return isRow(metadata) && metadata.model_only === true;
};

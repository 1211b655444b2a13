import { looseText, readContent } from "./content.ts";
import type { Facts } from "./facts.ts";
import { copyRow, isAbsent } from "./row.ts";

/** What a local row may lack and its store row has (R23). */
const FILLED = [
  "_turnDuration",
  "_turnTps",
  "_turnUsage",
  "_firstTokenMs",
  "_usedModel",
  "_statusCard",
  "_media_snapshots",
] as const;

/**
 * A copy of a local row with what it lacks taken from its pair (R23); a streamed fragment whose pair says more takes
 * that content and is settled, unless its turn was stopped (R12, R21). Nothing else changes (R1).
 */
export const fillFrom = (local: Facts, store: Facts, stopped: boolean): Record<string, unknown> => {
  const row = copyRow(local.row);
  const source = copyRow(store.row);
  const fill = (field: string): void => {
    if (isAbsent(row[field]) && !isAbsent(source[field])) row[field] = source[field];
  };
  for (const field of FILLED) fill(field);
  if (local.role === "user" || local.role === "assistant") fill("api_content");
  if (row._partial === true && !stopped && looseLength(store) > looseLength(local)) {
    row.content = source.content;
    delete row._partial;
  }
  return row;
};

const looseLength = ({ row }: Facts): number => looseText(readContent(row.content).text).length;

import { isActive } from "./columns.ts";
import { rowsByIds } from "./fetch.ts";
import type { ReadFile } from "./file.ts";
import { createHiddenRows, type Span } from "./hidden.ts";
import type { ModelQuery, ModelRows } from "./port.ts";

/** Rows that a model's history may have: far above any context window. */
const MAX_ROWS = 20_000;

/**
 * The model set (a.7): active rows of the tip by id, the newest `maxRows` of them, without what a person removed. Costs
 * what is active, not what is stored.
 */
export const readModelRows = (
  file: ReadFile,
  tipId: string,
  { maxRows = MAX_ROWS, hidden: removed, upTo = Number.MAX_SAFE_INTEGER - 1 }: ModelQuery = {},
): ModelRows => {
  const hidden = createHiddenRows(removed);
  const ids = activeIds(file, tipId, hidden.spans(upTo + 1), maxRows + 1);
  const rows = rowsByIds(file, ids.slice(0, maxRows)).filter(
    (row) =>
      (row.role === "user" || row.role === "assistant" || row.role === "tool") &&
      !hidden.hasCopy(row, () => row),
  );
  return { rows, cut: ids.length > maxRows };
};

/**
 * Newest first. The index by (session, active) leads past whatever compaction archived, but not in the order of ids;
 * with more active rows than are wanted, walking back by id ends sooner than sorting them all.
 */
const activeIds = (
  file: ReadFile,
  tipId: string,
  spans: readonly Span[],
  limit: number,
): readonly number[] => {
  const shape = file.shape();
  const { bySessionActive, bySessionId } = shape.indexes;
  const isIndexed = bySessionActive !== null && shape.messages.has("active");
  const ofFlag = (flag: string): string =>
    `SELECT id FROM messages ${bySessionActive ?? ""} WHERE session_id = @tipId AND active ${flag}`;
  const indexed = `${ofFlag("= 1")} UNION ALL ${ofFlag("IS NULL")}`;
  const byId = `SELECT id FROM messages ${bySessionId ?? ""} WHERE session_id = @tipId AND ${isActive(shape)}`;
  if (isIndexed) {
    const few = file.prepare(`${indexed} LIMIT @limit`).pluck().all({ tipId, limit }) as number[];
    if (few.length < limit)
      return few
        .filter((id) => spans.some(({ above, below }) => above < id && id < below))
        .sort((a, b) => b - a);
  }
  const source = isIndexed && bySessionId === null ? `SELECT id FROM (${indexed}) WHERE` : `${byId} AND`;
  const sql = `${source} id > @above AND id < @below ORDER BY id DESC LIMIT @limit`;
  const found: number[] = [];
  for (const span of spans) {
    if (found.length >= limit) break;
    const wanted = limit - found.length;
    found.push(
      ...(file
        .prepare(sql)
        .pluck()
        .all({ tipId, ...span, limit: wanted }) as number[]),
    );
  }
  return found;
};

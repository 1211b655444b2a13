import { isActive } from "./columns.ts";
import { rowsByIds } from "./fetch.ts";
import type { ReadFile } from "./file.ts";
import { isInSpans, isRemoved, openSpans } from "./hidden.ts";
import type { ModelQuery, ModelRows } from "./port.ts";

/** Rows that a model's history may have: far above any context window. */
const MAX_ROWS = 20_000;

/**
 * The model set (a.7): active rows of the tip by id, the newest `maxRows` of them. Costs what is active, not what is
 * stored.
 */
export const readModelRows = (
  file: ReadFile,
  tipId: string,
  { maxRows = MAX_ROWS, hidden, upTo = Number.MAX_SAFE_INTEGER }: ModelQuery = {},
): ModelRows => {
  const ids = activeIds(file, tipId, maxRows + 1, upTo);
  // Imported messages stand for rows in what people see, not in what the model gets.
  const spans = openSpans(hidden === undefined ? undefined : { ...hidden, floor: 0 });
  const removed = isRemoved(hidden);
  const rows = rowsByIds(
    file,
    ids.slice(0, maxRows).filter((id) => isInSpans(spans, id)),
  ).filter(
    (row) => (row.role === "user" || row.role === "assistant" || row.role === "tool") && !removed(row),
  );
  return { rows, cut: ids.length > maxRows };
};

/**
 * Newest first. The index by (session, active) leads past whatever compaction archived, but not in the order of ids;
 * with more active rows than are wanted, walking back by id ends sooner than sorting them all.
 */
const activeIds = (file: ReadFile, tipId: string, limit: number, upTo: number): readonly number[] => {
  const shape = file.shape();
  const { bySessionActive, bySessionId } = shape.indexes;
  const isIndexed = bySessionActive !== null && shape.messages.has("active");
  const ofFlag = (flag: string): string =>
    `SELECT id FROM messages ${bySessionActive ?? ""} WHERE session_id = @tipId AND active ${flag} AND id <= @upTo`;
  const indexed = `${ofFlag("= 1")} UNION ALL ${ofFlag("IS NULL")}`;
  const byId = `SELECT id FROM messages ${bySessionId ?? ""} WHERE session_id = @tipId AND ${isActive(shape)} AND id <= @upTo`;
  const isMany = (): boolean =>
    Number(
      file.prepare(`SELECT COUNT(*) FROM (${indexed} LIMIT @limit)`).pluck().get({ tipId, limit, upTo }),
    ) >= limit;
  const source = isIndexed && (bySessionId === null || !isMany()) ? `SELECT id FROM (${indexed})` : byId;
  return file
    .prepare(`${source} ORDER BY id DESC LIMIT @limit`)
    .pluck()
    .all({ tipId, limit, upTo }) as number[];
};

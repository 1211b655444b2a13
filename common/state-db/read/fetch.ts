import { isVisible, messageColumns } from "./columns.ts";
import type { ReadFile } from "./file.ts";
import { sessionIds } from "./ids.ts";
import { decodeRow, type RawRow, type StateRow } from "./rows.ts";

export interface Window {
  /** Bounds, no part of the window themselves. */
  readonly above?: number;
  readonly below?: number;
  /** Otherwise newest first. */
  readonly oldestFirst?: boolean;
  readonly limit: number;
  readonly contentLimit: number;
}

const LOWEST = Number.MIN_SAFE_INTEGER;
const HIGHEST = Number.MAX_SAFE_INTEGER;

/** Rows of one session that flags and role let be seen, by id: `limit` of them unless the session ends before. */
export const visibleRows = (file: ReadFile, sessionId: string, window: Window): readonly StateRow[] => {
  const shape = file.shape();
  const index = shape.indexes.bySessionId;
  if (index === null) return visibleByIds(file, sessionId, window);
  const sql = `SELECT ${messageColumns(shape, true)} FROM messages ${index}
    WHERE session_id = @sessionId AND id > @above AND id < @below AND ${isVisible(shape)}
    ORDER BY id ${window.oldestFirst ? "ASC" : "DESC"} LIMIT @limit`;
  return decodeAll(
    file.prepare(sql).all({
      sessionId,
      above: window.above ?? LOWEST,
      below: window.below ?? HIGHEST,
      limit: window.limit,
      contentLimit: window.contentLimit,
    }),
  );
};

/** Rows by id, in ascending order; ids without a row are left out. Bodies are whole unless `contentLimit` is given. */
export const rowsByIds = (
  file: ReadFile,
  ids: readonly number[],
  options: { readonly contentLimit?: number; readonly visibleOnly?: boolean } = {},
): readonly StateRow[] => {
  if (ids.length === 0) return [];
  const shape = file.shape();
  const condition = options.visibleOnly ? ` AND ${isVisible(shape)}` : "";
  const sql = `SELECT ${messageColumns(shape, true)} FROM messages
    WHERE id IN (SELECT value FROM json_each(@ids))${condition} ORDER BY id`;
  const contentLimit = options.contentLimit ?? Number.MAX_SAFE_INTEGER;
  return decodeAll(file.prepare(sql).all({ ids: JSON.stringify(ids), contentLimit }));
};

const visibleByIds = (
  file: ReadFile,
  sessionId: string,
  { above = LOWEST, below = HIGHEST, oldestFirst = false, limit, contentLimit }: Window,
): readonly StateRow[] => {
  const ids = sessionIds(file);
  const found: StateRow[] = [];
  let bound = oldestFirst ? above : below;
  while (found.length < limit) {
    const size = Math.max(limit - found.length, 32);
    const next = oldestFirst ? ids.above(sessionId, bound, size) : ids.below(sessionId, bound, size);
    const inside = next.filter((id) => above < id && id < below);
    const rows = rowsByIds(file, inside, { contentLimit, visibleOnly: true });
    found.push(...(oldestFirst ? rows : rows.toReversed()));
    if (inside.length < size) break;
    bound = next.at(-1) ?? bound;
  }
  return found.slice(0, limit);
};

const decodeAll = (rows: readonly unknown[]): readonly StateRow[] =>
  rows.map((row) => decodeRow(row as RawRow));

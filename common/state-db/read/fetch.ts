import { isVisible, messageColumns } from "./columns.ts";
import type { ReadFile } from "./file.ts";
import { sessionIds } from "./ids.ts";
import { decodeRow, type RawRow, type StateRow } from "./rows.ts";

export interface Window {
  /** Rows below this id, newest first (null: from the end); with `above`, rows above it, oldest first. */
  readonly below?: number | null;
  readonly above?: number;
  /** With `below`: no row up to this id. */
  readonly floor?: number;
  readonly limit: number;
  readonly contentLimit: number;
}

/** Rows of one session that flags and role let be seen, by id: `limit` of them unless the session ends before. */
export const visibleRows = (file: ReadFile, sessionId: string, window: Window): readonly StateRow[] => {
  const shape = file.shape();
  const index = shape.indexes.bySessionId;
  if (index === null) return visibleByIds(file, sessionId, window);
  const side = window.above === undefined ? "id < @bound AND id > @floor" : "id > @bound AND id > @floor";
  const sql = `SELECT ${messageColumns(shape, true)} FROM messages ${index}
    WHERE session_id = @sessionId AND ${side} AND ${isVisible(shape)}
    ORDER BY id ${window.above === undefined ? "DESC" : "ASC"} LIMIT @limit`;
  return decodeAll(
    file.prepare(sql).all({
      sessionId,
      bound: window.above ?? window.below ?? Number.MAX_SAFE_INTEGER,
      floor: window.floor ?? 0,
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
  { below = null, above, floor = 0, limit, contentLimit }: Window,
): readonly StateRow[] => {
  const ids = sessionIds(file);
  const found: StateRow[] = [];
  let bound = above ?? below;
  while (found.length < limit) {
    const size = Math.max(limit - found.length, 32);
    const next =
      above === undefined ? ids.below(sessionId, bound, size) : ids.above(sessionId, bound ?? 0, size);
    const inside = next.filter((id) => id > floor);
    const rows = rowsByIds(file, inside, { contentLimit, visibleOnly: true });
    found.push(...(above === undefined ? rows.toReversed() : rows));
    if (next.length < size || inside.length < next.length) break;
    bound = next.at(-1) ?? null;
  }
  return found.slice(0, limit);
};

const decodeAll = (rows: readonly unknown[]): readonly StateRow[] =>
  rows.map((row) => decodeRow(row as RawRow));

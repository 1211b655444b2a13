import { rowsByIds } from "./fetch.ts";
import type { ReadFile } from "./file.ts";
import { sessionIds } from "./ids.ts";
import type { Changes, RowsAfter, SessionChange, SessionHead } from "./port.ts";
import { lastActivity, readSession } from "./sessions.ts";
import { lastRowId } from "./versions.ts";

/** A row's time stands behind its body; behind a larger one it is not worth the pages. */
const LIGHT_BYTES = 65_536;

/** Rows above a watermark, over the whole file: a range of the primary key, whatever lies below it. */
export const readChanges = (file: ReadFile, watermark: number | null, limit: number): Changes => {
  const last = lastRowId(file);
  if (watermark === null || last <= watermark)
    return { changes: [], watermark: last, more: false, replaced: watermark !== null && last < watermark };
  const calls = file.shape().messages.has("tool_calls") ? " + COALESCE(octet_length(tool_calls), 0)" : "";
  const sql = `SELECT id, session_id, role,
      CASE WHEN COALESCE(octet_length(content), 0)${calls} <= ${LIGHT_BYTES} THEN timestamp END
    FROM messages NOT INDEXED WHERE id > ? ORDER BY id LIMIT ?`;
  const rows = file.prepare(sql).raw().all(watermark, limit) as [number, string, string, unknown][];
  const changes = new Map<string, SessionChange>();
  for (const [id, sessionId, role, time] of rows)
    changes.set(sessionId, {
      sessionId,
      count: (changes.get(sessionId)?.count ?? 0) + 1,
      maxRowId: id,
      lastTimestamp: typeof time === "number" ? time : null,
      lastRole: role,
    });
  const more = rows.length === limit;
  return {
    changes: [...changes.values()],
    watermark: more ? (rows.at(-1)?.[0] ?? watermark) : last,
    more,
    replaced: false,
  };
};

/** Rows above a cursor in the segments of one chain, by id; whole bodies. */
export const readRowsAfter = (
  file: ReadFile,
  segments: readonly string[],
  cursor: number,
  limit: number,
): RowsAfter => {
  const ids = sessionIds(file);
  const found = segments.flatMap((id) => ids.above(id, cursor, limit + 1)).sort((a, b) => a - b);
  const taken = found.slice(0, limit);
  return {
    rows: rowsByIds(file, taken),
    cursor: taken.at(-1) ?? cursor,
    more: found.length > taken.length,
  };
};

export const readHeads = (file: ReadFile, ids: readonly string[]): readonly SessionHead[] => {
  const rows = sessionIds(file);
  return ids.flatMap((id) => {
    const session = readSession(file, id);
    if (session === null) return [];
    return {
      id,
      messageCount: session.messageCountHint,
      maxRowId: rows.max(id),
      lastActivityAt: lastActivity(file, session),
      rewindCount: session.rewindCount,
      endReason: session.endReason,
    };
  });
};

export const readMaxRowId = (file: ReadFile, segments: readonly string[]): number => {
  const ids = sessionIds(file);
  return segments.reduce((highest, id) => Math.max(highest, ids.max(id)), 0);
};

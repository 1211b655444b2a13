import type Database from "better-sqlite3";
import { parseNested } from "../reconcile/json.ts";
import type { OpenStateDb } from "./open.ts";
import type { OwnRow } from "./port.ts";
import { RefusedError } from "./refusal.ts";
import type { Capabilities } from "./shape.ts";
import { prepared } from "./transaction.ts";

/** Which rows are meant: ours, of these segments, with ids above one and up to another. */
export interface OwnRange {
  readonly segments: readonly string[];
  readonly rows: readonly OwnRow[];
  readonly above: number;
  readonly upTo: number;
}

/**
 * Ids of rows that we wrote. By uid where the file has uids: a row id alone could be another's after the file was
 * restored from a copy. May walk the segments, so it is done before the write lock is taken; `ownRows` asks again.
 */
export const findOwnIds = (
  file: OpenStateDb,
  { segments, rows, above, upTo }: OwnRange,
): readonly number[] => {
  if (rows.length === 0) return [];
  const can = file.capabilities();
  if (!can.messages.has("message_uid")) {
    const ids = rows.flatMap(({ rowId }) => rowId ?? []);
    return ids.filter((id) => above < id && id <= upTo);
  }
  const sql = `SELECT id FROM messages WHERE session_id = ? AND id > ? AND id <= ?
    AND message_uid IN (SELECT value FROM json_each(?))`;
  const uids = uidsOf(rows);
  return segments.flatMap((id) => prepared(file.db, sql).pluck().all(id, above, upTo, uids) as number[]);
};

export interface StoredRow {
  readonly id: number;
  readonly sessionId: string;
  readonly active: boolean;
  /** Tool calls of the row. */
  readonly calls: number;
}

/** The rows behind ids that `findOwnIds` gave, as they are now; to be called under the write lock. */
export const ownRows = (
  db: Database.Database,
  can: Capabilities,
  ids: readonly number[],
  { segments, rows }: Pick<OwnRange, "segments" | "rows">,
): readonly StoredRow[] => {
  const uid = can.messages.has("message_uid")
    ? "message_uid IN (SELECT value FROM json_each(@uids))"
    : "@uids IS NOT NULL";
  const sql = `SELECT id, session_id, ${can.messages.has("active") ? "COALESCE(active, 1)" : "1"},
      ${can.messages.has("tool_calls") ? "tool_calls" : "NULL"}
    FROM messages WHERE id IN (SELECT value FROM json_each(@ids))
      AND session_id IN (SELECT value FROM json_each(@segments)) AND ${uid}`;
  const found = prepared(db, sql)
    .raw()
    .all({ ids: JSON.stringify(ids), segments: JSON.stringify(segments), uids: uidsOf(rows) });
  return (found as [number, string, number, string | null][]).map(([id, sessionId, active, calls]) => ({
    id,
    sessionId,
    active: active === 1,
    calls: countCalls(calls),
  }));
};

/** Takes active rows out of the counters of their sessions. */
export const uncount = (db: Database.Database, can: Capabilities, rows: readonly StoredRow[]): void => {
  const less: Readonly<Record<string, string>> = {
    message_count: "MAX(0, COALESCE(message_count, 0) - @rows)",
    tool_call_count: "MAX(0, COALESCE(tool_call_count, 0) - @calls)",
  };
  const sets = Object.entries(less)
    .filter(([name]) => can.sessions.has(name))
    .map(([name, value]) => `${name} = ${value}`);
  if (sets.length === 0) return;
  const update = prepared(db, `UPDATE sessions SET ${sets.join(", ")} WHERE id = @sessionId`);
  for (const [sessionId, some = []] of Object.entries(Object.groupBy(rows, (row) => row.sessionId))) {
    const active = some.filter((row) => row.active);
    const calls = active.reduce((sum, row) => sum + row.calls, 0);
    update.run({ sessionId, rows: active.length, calls });
  }
};

/** A turn of another program would continue from rows that go; a compaction would copy them (a.11). */
export const refuseWhileBusy = (
  db: Database.Database,
  can: Capabilities,
  segments: readonly string[],
): void => {
  const isHeld = (table: string, key: string): boolean => {
    const sql = `SELECT 1 FROM ${table} WHERE ${key} IN (SELECT value FROM json_each(?)) AND expires_at > ?`;
    return prepared(db, sql).get(JSON.stringify(segments), Date.now() / 1000) !== undefined;
  };
  if (can.hasLeases && isHeld("session_turn_leases", "conversation_id"))
    throw new RefusedError("leased", "another program has its turn in this session");
  if (can.hasCompressionLocks && isHeld("compression_locks", "session_id"))
    throw new RefusedError("leased", "another program is compacting this session");
};

const uidsOf = (rows: readonly OwnRow[]): string => JSON.stringify(rows.map(({ uid }) => uid));

const countCalls = (stored: string | null): number => {
  const calls = stored === null ? null : parseNested(String(stored));
  return Array.isArray(calls) ? calls.length : 0;
};

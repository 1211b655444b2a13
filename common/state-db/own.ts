import type Database from "better-sqlite3";
import type { DeleteResult, OwnRow, RewindResult, StateDbOps, TitleResult } from "./port.ts";
import { prepared } from "./prepared.ts";
import type { Capabilities } from "./shape.ts";

/** Changes to rows that we wrote, and to nothing else (DESIGN 4; session-reconciliation a.11, c.7). Inside a transaction. */

type Cut = Parameters<StateDbOps["rewindOwn"]>[0];

export const rewindRows = (db: Database.Database, can: Capabilities, cut: Cut): RewindResult => {
  // A file that knows no history loses nothing here: our cut hides the rows.
  if (!can.messages.has("active")) return { status: "ok", rewound: 0 };
  const compacted = can.messages.has("compacted") ? ", compacted = 0" : "";
  const hide = prepared<[number]>(db, `UPDATE messages SET active = 0${compacted} WHERE id = ?`);
  let rewound = 0;
  for (const segment of cut.segments) {
    const rows = ownRows(db, can, segment, cut.rows).filter(
      (row) => row.id > cut.keepThrough && row.id <= cut.cutRowId && row.active === 1,
    );
    for (const row of rows) hide.run(row.id);
    if (rows.length > 0) uncount(db, can, segment, rows);
    rewound += rows.length;
  }
  const tip = cut.segments.at(-1);
  if (rewound > 0 && tip !== undefined && can.sessions.has("rewind_count"))
    prepared(db, "UPDATE sessions SET rewind_count = COALESCE(rewind_count, 0) + 1 WHERE id = ?").run(tip);
  return { status: "ok", rewound };
};

export const deleteRows = (
  db: Database.Database,
  can: Capabilities,
  { segments, rows }: Parameters<StateDbOps["deleteOwn"]>[0],
): DeleteResult => {
  let deleted = 0;
  let sessionsRemoved = 0;
  // From the tip: a segment goes once the one that continues it is gone.
  for (const segment of [...segments].reverse()) {
    const own = ownRows(db, can, segment, rows);
    for (const row of own) prepared<[number]>(db, "DELETE FROM messages WHERE id = ?").run(row.id);
    if (own.length === 0) continue;
    deleted += own.length;
    uncount(
      db,
      can,
      segment,
      own.filter(({ active }) => active === 1),
    );
    if (!isNeeded(db, can, segment)) {
      prepared(db, "DELETE FROM sessions WHERE id = ?").run(segment);
      sessionsRemoved += 1;
    }
  }
  return { status: "ok", deleted, sessionsRemoved };
};

export const renameSession = (
  db: Database.Database,
  can: Capabilities,
  {
    sessionId,
    title,
    source,
  }: { readonly sessionId: string; readonly title: string; readonly source: string },
): TitleResult => {
  if (!can.sessions.has("title")) return { status: "ok", changed: false };
  const { changes } = prepared(
    db,
    `UPDATE sessions SET title = @title WHERE id = @sessionId AND source = @source AND title IS NOT @title
       AND NOT EXISTS (SELECT 1 FROM sessions other WHERE other.title = @title)`,
  ).run({ title, sessionId, source });
  return { status: "ok", changed: changes > 0 };
};

interface Found {
  readonly id: number;
  readonly active: number;
  readonly calls: string | null;
}

/** Our rows in a segment. A row id counts only where the file has no uids: there it is all we have. */
const ownRows = (
  db: Database.Database,
  can: Capabilities,
  segment: string,
  rows: readonly OwnRow[],
): readonly Found[] => {
  const hasUids = can.messages.has("message_uid");
  const values = hasUids ? rows.map(({ uid }) => uid) : rows.flatMap(({ rowId }) => rowId ?? []);
  const active = can.messages.has("active") ? "COALESCE(active, 1)" : "1";
  const calls = can.messages.has("tool_calls") ? "tool_calls" : "NULL";
  const column = hasUids ? "message_uid" : "id";
  return prepared<{ segment: string; values: string }, Found>(
    db,
    `SELECT id, ${active} AS active, ${calls} AS calls FROM messages
     WHERE session_id = @segment AND ${column} IN (SELECT value FROM json_each(@values))`,
  ).all({ segment, values: JSON.stringify(values) });
};

/** Takes active rows out of the session's counters. */
const uncount = (db: Database.Database, can: Capabilities, segment: string, rows: readonly Found[]): void => {
  const calls = rows.reduce((sum, row) => sum + callCount(row.calls), 0);
  const changes = [
    ...(can.sessions.has("message_count")
      ? ["message_count = MAX(0, COALESCE(message_count, 0) - @rows)"]
      : []),
    ...(can.sessions.has("tool_call_count")
      ? ["tool_call_count = MAX(0, COALESCE(tool_call_count, 0) - @calls)"]
      : []),
  ];
  if (changes.length === 0 || rows.length === 0) return;
  // A statement may not be given a name that it does not use.
  const values = {
    segment,
    ...(can.sessions.has("message_count") ? { rows: rows.length } : {}),
    ...(can.sessions.has("tool_call_count") ? { calls } : {}),
  };
  prepared(db, `UPDATE sessions SET ${changes.join(", ")} WHERE id = @segment`).run(values);
};

const callCount = (calls: string | null): number => {
  try {
    const list: unknown = calls === null ? [] : JSON.parse(calls);
    return Array.isArray(list) ? list.length : 0;
  } catch {
    return 0;
  }
};

/** True while a session holds a message, or another one names it. */
const isNeeded = (db: Database.Database, can: Capabilities, id: string): boolean => {
  if (prepared(db, "SELECT 1 FROM messages WHERE session_id = ? LIMIT 1").get(id) !== undefined) return true;
  if (!can.sessions.has("parent_session_id")) return false;
  return prepared(db, "SELECT 1 FROM sessions WHERE parent_session_id = ? LIMIT 1").get(id) !== undefined;
};

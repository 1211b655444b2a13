import type Database from "better-sqlite3";
import { PARTS_MARK } from "../reconcile/content.ts";
import { deleteOwnRows } from "./delete.ts";
import { type OpenStateDb, openExisting, openStateDb } from "./open.ts";
import type { AppendTurnResult, Refused, StateDbOps, TurnInput, TurnRow } from "./port.ts";
import { RefusedError, refusalOf, waitForLock } from "./refusal.ts";
import { rewindOwnRows } from "./rewind.ts";
import { type Capabilities, lastGivenRowId } from "./shape.ts";
import { freeTitle, setOwnTitle, titleOf } from "./title.ts";
import { inTransaction, prepared } from "./transaction.ts";

/**
 * The writer of one profile's state.db (session-reconciliation a.11). The file is opened with the first turn, and again
 * when another one lies at its path. `lockLimitMs` bounds the wait for other writers.
 */
export const createStateDbOps = (
  path: string,
  options: { readonly lockLimitMs?: number } = {},
): StateDbOps => {
  const limitMs = options.lockLimitMs ?? 10_000;
  let open: OpenStateDb | null = null;
  const close = (): void => {
    open?.db.close();
    open = null;
  };
  const attempt = <T>(work: () => T | Refused): T | Refused => {
    try {
      if (open !== null && !open.isCurrent()) close();
      return work();
    } catch (error) {
      const refusal = refusalOf(error);
      // The connection may be part of the trouble; a busy file's is fine.
      if (refusal.reason !== "locked" && !(error instanceof RefusedError)) close();
      return refusal;
    }
  };
  /** Where nothing lies there is nothing of ours to change, and nothing is made. */
  const change = <T>(nothing: NoInfer<T>, work: (file: OpenStateDb) => T | Refused): T | Refused =>
    attempt(() => {
      open ??= waitForLock(limitMs, () => openExisting(path));
      return open === null ? nothing : work(open);
    });
  return {
    appendTurn: (input) =>
      attempt(() => {
        const file = open ?? waitForLock(limitMs, () => openStateDb(path, limitMs));
        open = file;
        return inTransaction(file, limitMs, () => append(file, input));
      }),
    rewindOwn: (input) => change({ status: "ok", rewound: 0 }, (file) => rewindOwnRows(file, input, limitMs)),
    deleteOwn: (input) =>
      change({ status: "ok", deleted: 0, sessionsRemoved: [] }, (file) =>
        deleteOwnRows(file, input, limitMs),
      ),
    setTitle: (input) =>
      change({ status: "ok", changed: false, title: null }, (file) => setOwnTitle(file, input, limitMs)),
    close,
  };
};

const append = (file: OpenStateDb, input: TurnInput): AppendTurnResult => {
  const { db } = file;
  const can = file.capabilities();
  const rows = withDistinctTimes(input.rows);
  const first = rows[0]?.timestamp ?? Date.now() / 1000;
  const find = rowFinder(db, can, input.sessionId, first);
  refuseIfOlderCopy(db, input.newestOwnRow ?? 0);
  refuseIfNotOurs(db, can, input.sessionId);
  ensureSession(db, can, input, first);
  const rowIds: number[] = [];
  let inserted = 0;
  let calls = 0;
  for (const row of rows) {
    const existing = find(row);
    rowIds.push(existing ?? insertRow(db, can, input.sessionId, row));
    if (existing !== null) continue;
    inserted += 1;
    calls += row.toolCalls?.length ?? 0;
  }
  if (inserted > 0) count(db, can, input.sessionId, inserted, calls, rows.at(-1)?.timestamp ?? first);
  return {
    status: "ok",
    inserted,
    rowIds,
    title: can.sessions.has("title") ? titleOf(db, input.sessionId) : null,
  };
};

/** Rows of one batch are at least 1 µs apart; the same input gives the same times. */
const withDistinctTimes = (rows: readonly TurnRow[]): readonly TurnRow[] => {
  let last = Number.NEGATIVE_INFINITY;
  return rows.map((row) => {
    const given = Math.round(row.timestamp * 1e6) / 1e6;
    last = given > last ? given : Math.round((last + 1e-6) * 1e6) / 1e6;
    return { ...row, timestamp: last };
  });
};

/** Row ids never come back: earlier turns that the file lacks must not come behind this one (c.4). */
const refuseIfOlderCopy = (db: Database.Database, newestOwnRow: number): void => {
  if (newestOwnRow > 0 && lastGivenRowId((sql) => prepared(db, sql)) < newestOwnRow)
    throw new RefusedError("older_copy", "the file is older than what was written into it");
};

const refuseIfNotOurs = (db: Database.Database, can: Capabilities, sessionId: string): void => {
  if (can.sessions.has("end_reason")) {
    const reason = prepared(db, "SELECT end_reason FROM sessions WHERE id = ?").pluck().get(sessionId);
    if (reason === "compression")
      throw new RefusedError("continued_elsewhere", "the conversation was continued in another session");
  }
  if (!can.hasLeases) return;
  const lease = prepared(
    db,
    "SELECT 1 FROM session_turn_leases WHERE conversation_id = ? AND expires_at > ?",
  ).get(sessionId, Date.now() / 1000);
  if (lease !== undefined) throw new RefusedError("leased", "another program has its turn in this session");
};

const ensureSession = (
  db: Database.Database,
  can: Capabilities,
  input: TurnInput,
  startedAt: number,
): void => {
  if (prepared(db, "SELECT 1 FROM sessions WHERE id = ?").get(input.sessionId) !== undefined) return;
  insert(db, "sessions", can.sessions, {
    id: input.sessionId,
    source: input.source,
    model: input.model,
    title:
      can.sessions.has("title") && input.title !== null ? freeTitle(db, input.title, input.sessionId) : null,
    cwd: input.cwd,
    ...originOf(db, input.branchedFrom),
    profile_name: input.profile,
    started_at: startedAt,
    last_activity_at: startedAt,
    message_count: 0,
    tool_call_count: 0,
  });
};

/** A branch names its parent twice (a.9); the file lets only a session that it holds be the parent. */
const originOf = (
  db: Database.Database,
  parent: string | undefined,
): Readonly<Record<string, string | null>> => {
  if (parent === undefined) return {};
  const exists = prepared(db, "SELECT 1 FROM sessions WHERE id = ?").get(parent) !== undefined;
  return {
    parent_session_id: exists ? parent : null,
    model_config: JSON.stringify({ _branched_from: parent }),
  };
};

/** Titles are unique in the file; ours yields. */
/**
 * Finds a row of this turn that an earlier try wrote: by uid among the session's rows since the turn began (an index
 * range, not the history); in files without uids by role, exact time, content and call, which are all ours.
 */
const rowFinder = (db: Database.Database, can: Capabilities, sessionId: string, first: number) => {
  if (can.messages.has("message_uid")) {
    const byUid = prepared<[string, number, string], number>(
      db,
      "SELECT MAX(id) FROM messages WHERE session_id = ? AND timestamp >= ? AND message_uid = ?",
    ).pluck();
    return (row: TurnRow): number | null => byUid.get(sessionId, first - 1, row.uid) ?? null;
  }
  const call = can.messages.has("tool_call_id") ? "AND tool_call_id IS ?" : "AND ? IS NULL";
  const byContent = prepared<[string, string, number, string, string | null], number>(
    db,
    `SELECT MAX(id) FROM messages WHERE session_id = ? AND role = ? AND timestamp = ? AND content = ? ${call}`,
  ).pluck();
  return (row: TurnRow): number | null =>
    byContent.get(sessionId, row.role, row.timestamp, contentOf(row), row.toolCallId ?? null) ?? null;
};

/** `active` is set because upgraded files may declare it without a default; display columns are the host's (a.11). */
const insertRow = (db: Database.Database, can: Capabilities, sessionId: string, row: TurnRow): number =>
  insert(db, "messages", can.messages, {
    session_id: sessionId,
    role: row.role,
    content: contentOf(row),
    timestamp: row.timestamp,
    active: 1,
    compacted: 0,
    observed: 0,
    _compressed_summary: 0,
    tool_calls: row.toolCalls?.length ? JSON.stringify(row.toolCalls) : null,
    tool_call_id: row.toolCallId ?? null,
    tool_name: row.toolName ?? null,
    reasoning: row.reasoning || null,
    finish_reason: row.finishReason ?? null,
    message_uid: row.uid,
  });

/** A text that happens to begin like an encoded list of parts becomes one, so that readers show it as it is (a.3). */
const contentOf = ({ content }: TurnRow): string =>
  content.startsWith(PARTS_MARK) ? PARTS_MARK + JSON.stringify([{ type: "text", text: content }]) : content;

/** Inserts into the columns that the file has. The names are ours, never input. */
const insert = (
  db: Database.Database,
  table: "sessions" | "messages",
  has: ReadonlySet<string>,
  values: Readonly<Record<string, string | number | null>>,
): number => {
  const names = Object.keys(values).filter((name) => has.has(name));
  const sql = `INSERT INTO ${table} (${names.join(", ")}) VALUES (${names.map((name) => `@${name}`).join(", ")})`;
  return Number(prepared(db, sql).run(values).lastInsertRowid);
};

const count = (
  db: Database.Database,
  can: Capabilities,
  sessionId: string,
  rows: number,
  calls: number,
  at: number,
): void => {
  const changes: Readonly<Record<string, string>> = {
    message_count: "COALESCE(message_count, 0) + @rows",
    tool_call_count: "COALESCE(tool_call_count, 0) + @calls",
    last_activity_at: "MAX(COALESCE(last_activity_at, 0), @at)",
  };
  const sets = Object.entries(changes)
    .filter(([name]) => can.sessions.has(name))
    .map(([name, value]) => `${name} = ${value}`);
  if (sets.length > 0)
    prepared(db, `UPDATE sessions SET ${sets.join(", ")} WHERE id = @sessionId`).run({
      sessionId,
      rows,
      calls,
      at,
    });
};

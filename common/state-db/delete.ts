import type Database from "better-sqlite3";
import type { OpenStateDb } from "./open.ts";
import { findOwnIds, ownRows, refuseWhileBusy, uncount } from "./own-rows.ts";
import type { DeleteInput, DeleteResult } from "./port.ts";
import { codeOf, RefusedError, waitForLock } from "./refusal.ts";
import type { Capabilities } from "./shape.ts";
import { inTransaction, prepared } from "./transaction.ts";

/** Deletes our own rows, and the session rows that nothing is left of. */
export const deleteOwnRows = (file: OpenStateDb, input: DeleteInput, limitMs: number): DeleteResult => {
  const { segments } = input;
  const range = { ...input, above: 0, upTo: Number.MAX_SAFE_INTEGER };
  const ids = waitForLock(limitMs, () => findOwnIds(file, range));
  return inTransaction(file, limitMs, () => {
    const { db } = file;
    const can = file.capabilities();
    const rows = ownRows(db, can, ids, input);
    const touched = new Set(rows.map(({ sessionId }) => sessionId));
    const empty = segments.filter((id) => touched.has(id) || isEmptyOwn(db, id, input.source));
    if (empty.length === 0) return { status: "ok", deleted: 0, sessionsRemoved: [] };
    refuseWhileBusy(db, can, segments);
    if (rows.length > 0) refuseIfIndexWouldStay(db);
    const sql = "DELETE FROM messages WHERE id IN (SELECT value FROM json_each(?))";
    const { changes } = prepared(db, sql).run(JSON.stringify(rows.map(({ id }) => id)));
    uncount(db, can, rows);
    // Newest first: a segment names the one before as its parent.
    const sessionsRemoved = empty.toReversed().filter((id) => removeIfUnused(db, can, id, input.source));
    return { status: "ok", deleted: changes, sessionsRemoved };
  });
};

/** A session of ours without rows, as a deletion that was interrupted by its foreign child may leave it. */
const isEmptyOwn = (db: Database.Database, id: string, source: string | undefined): boolean =>
  source !== undefined &&
  prepared(db, "SELECT source FROM sessions WHERE id = ?").pluck().get(id) === source &&
  !hasRows(db, id);

const removeIfUnused = (
  db: Database.Database,
  can: Capabilities,
  id: string,
  source: string | undefined,
): boolean => {
  if (hasRows(db, id)) return false;
  const child = "SELECT 1 FROM sessions WHERE parent_session_id = ? AND id <> ? LIMIT 1";
  if (can.sessions.has("parent_session_id") && prepared(db, child).get(id, id) !== undefined) return false;
  try {
    const sql = "DELETE FROM sessions WHERE id = @id AND (@source IS NULL OR source = @source)";
    return prepared(db, sql).run({ id, source: source ?? null }).changes > 0;
  } catch (error) {
    // Something of the owner's that we do not know still refers to it.
    if (codeOf(error) === "SQLITE_CONSTRAINT_FOREIGNKEY") return false;
    throw error;
  }
};

const hasRows = (db: Database.Database, id: string): boolean =>
  prepared(db, "SELECT 1 FROM messages WHERE session_id = ? LIMIT 1").get(id) !== undefined;

/**
 * Each full-text index of the messages needs a trigger that follows deletions; without one it would go on to find rows
 * that are gone, and its owner could not repair it by the rows.
 */
const refuseIfIndexWouldStay = (db: Database.Database): void => {
  const names = db
    .prepare(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'messages%' AND sql LIKE 'CREATE VIRTUAL TABLE%'",
    )
    .pluck()
    .all() as string[];
  const triggers = db
    .prepare("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'messages'")
    .pluck()
    .all() as string[];
  const following = triggers
    .filter((sql) => /\bDELETE\s+ON\b/i.test(sql))
    .flatMap((sql) => sql.match(/\w+/g) ?? []);
  for (const name of names)
    if (!following.includes(name)) throw new RefusedError("read_only", `nothing keeps ${name} up to date`);
};

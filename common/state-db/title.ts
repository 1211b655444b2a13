import type Database from "better-sqlite3";
import type { OpenStateDb } from "./open.ts";
import type { TitleInput, TitleResult } from "./port.ts";
import { inTransaction, prepared } from "./transaction.ts";

/** Renames a session of ours. Titles are unique in a file: where another session has it, ours gets a number (B-18). */
export const setOwnTitle = (
  file: OpenStateDb,
  { sessionId, title, source }: TitleInput,
  limitMs: number,
): TitleResult => {
  return inTransaction(file, limitMs, () => {
    if (!file.capabilities().sessions.has("title")) return { status: "ok", changed: false, title: null };
    const free = freeTitle(file.db, title, sessionId);
    const sql =
      "UPDATE sessions SET title = @free WHERE id = @sessionId AND source = @source AND title IS NOT @free";
    const { changes } = prepared(file.db, sql).run({ sessionId, free, source });
    return { status: "ok", changed: changes > 0, title: titleOf(file.db, sessionId) };
  });
};

/** Numbers that are tried before a session stays without a title there. */
const MOST = 1_000;

/** The title, with the first number that no other session has; null where all are taken. */
export const freeTitle = (db: Database.Database, title: string, sessionId: string): string | null => {
  const taken = prepared(db, "SELECT 1 FROM sessions WHERE title = ? AND id <> ? LIMIT 1");
  for (let n = 1; n <= MOST; n++) {
    const candidate = n === 1 ? title : `${title} #${n}`;
    if (taken.get(candidate, sessionId) === undefined) return candidate;
  }
  return null;
};

/** What a session is called; null where it has no title, or is not there. */
export const titleOf = (db: Database.Database, sessionId: string): string | null =>
  (prepared<[string], string | null>(db, "SELECT title FROM sessions WHERE id = ?").pluck().get(sessionId) as
    | string
    | null
    | undefined) ?? null;

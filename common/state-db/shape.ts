import { statSync } from "node:fs";
import type Database from "better-sqlite3";
import { RefusedError } from "./refusal.ts";

/** What a file can hold: columns by table, from the file itself (the version number is often wrong). */
export interface Capabilities {
  readonly sessions: ReadonlySet<string>;
  readonly messages: ReadonlySet<string>;
  readonly hasLeases: boolean;
  readonly hasCompressionLocks: boolean;
}

/** The columns of a state.db (a.6). Throws `RefusedError` (`not_a_state_db`) where the required ones are missing. */
export const readCapabilities = (db: Database.Database): Capabilities => {
  const columns = (table: string): ReadonlySet<string> =>
    new Set((db.pragma(`table_info(${table})`) as { name: string }[]).map(({ name }) => name));
  const found = { sessions: columns("sessions"), messages: columns("messages") };
  for (const table of ["sessions", "messages"] as const)
    for (const column of REQUIRED[table])
      if (!found[table].has(column)) throw new RefusedError("not_a_state_db", `no column ${table}.${column}`);
  return {
    ...found,
    hasLeases: columns("session_turn_leases").has("expires_at"),
    hasCompressionLocks: columns("compression_locks").has("expires_at"),
  };
};

/** Device and inode at a path, or null where nothing is. By name only: opening and closing the file here would drop SQLite's locks on it (a.10). */
export const identityOf = (path: string): string | null => {
  const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stat === undefined ? null : `${stat.dev}:${stat.ino}`;
};

/**
 * The highest message id the file ever gave out. Rows that were deleted count: ids never come back, so a file whose
 * newest session was deleted is still the same file.
 */
export const lastGivenRowId = (prepare: (sql: string) => Database.Statement<unknown[], unknown>): number => {
  const newest = Number(prepare("SELECT MAX(id) FROM messages").pluck().get() ?? 0);
  const counts = prepare("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'").get() !== undefined;
  if (!counts) return newest;
  const given = prepare("SELECT seq FROM sqlite_sequence WHERE name = 'messages'").pluck().get();
  return Math.max(newest, Number(given ?? 0));
};

const REQUIRED = {
  sessions: ["id", "source", "started_at"],
  messages: ["id", "session_id", "role", "content", "timestamp"],
} as const;

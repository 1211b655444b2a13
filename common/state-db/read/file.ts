import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
import Database from "better-sqlite3";
import { type Capabilities, identityOf, readCapabilities } from "../shape.ts";

/** A held connection to one state.db, opened by the reader rules (a.10). */
export interface ReadFile {
  readonly db: Database.Database;
  /** What the file can hold, as `refresh` last saw it. */
  shape(): Shape;
  /** Looks whether a writer changed the schema; to be called in each snapshot before anything is read in it. */
  refresh(): void;
  /** Prepared once per text; forgotten when the schema changes. */
  prepare(sql: string): Database.Statement<unknown[], unknown>;
  /** Device and inode. */
  readonly identity: string;
  /** Another one for every opening, so that versions of two connections are never equal. */
  readonly opening: string;
  /** Keeps what an operation learned about this file for as long as the connection lives. */
  memo<T>(key: string, make: () => T): T;
}

export interface Shape extends Capabilities {
  /** `PRAGMA schema_version`: counts changes of the layout. */
  readonly schemaVersion: number;
  readonly indexes: MessageIndexes;
}

/** `INDEXED BY` clauses for what the file offers; null where it has no such index (old layouts, a.5). */
export interface MessageIndexes {
  readonly bySessionId: string | null;
  readonly bySessionTime: string | null;
  readonly bySessionActive: string | null;
}

/** Opens for reading. Throws SQLite's errors, or `RefusedError` for a file that is no state.db; makes nothing. */
export const openReadFile = (path: string, identity: string, waitMs: number): ReadFile => {
  // What `mode=ro` says in a URI; this SQLite is built without URIs.
  const db = new Database(resolve(path), { readonly: true, fileMustExist: true, timeout: waitMs });
  try {
    db.pragma("query_only = ON");
    db.pragma("trusted_schema = OFF");
    db.pragma("temp_store = MEMORY");
    let statements = new Map<string, Database.Statement<unknown[], unknown>>();
    const notes = new Map<string, unknown>();
    const schemaVersionOf = db.prepare<[], number>("PRAGMA schema_version").pluck();
    const read = (schemaVersion: number): Shape => ({
      ...readCapabilities(db),
      schemaVersion,
      indexes: readIndexes(db),
    });
    let known = db.transaction(() => read(schemaVersionOf.get() ?? 0))();
    return {
      db,
      identity,
      opening: randomUUID(),
      shape: () => known,
      refresh() {
        const schemaVersion = schemaVersionOf.get() ?? 0;
        if (known.schemaVersion === schemaVersion) return;
        statements = new Map();
        known = read(schemaVersion);
      },
      prepare(sql) {
        const statement = statements.get(sql) ?? db.prepare<unknown[], unknown>(sql);
        statements.set(sql, statement);
        return statement;
      },
      memo<T>(key: string, make: () => T): T {
        if (!notes.has(key)) notes.set(key, make());
        return notes.get(key) as T;
      },
    };
  } catch (error) {
    db.close();
    throw error;
  }
};

/** True while the connection's file is the one at `path`. */
export const isCurrent = (file: ReadFile, path: string): boolean => identityOf(path) === file.identity;

const readIndexes = (db: Database.Database): MessageIndexes => {
  const found = new Map<string, string>();
  const list = db.pragma("index_list(messages)") as { name: string; partial: number }[];
  for (const { name, partial } of list) {
    if (partial !== 0) continue;
    const quoted = name.replaceAll('"', '""');
    const columns = (db.pragma(`index_info("${quoted}")`) as { name: string | null }[]).map((c) => c.name);
    const clause = `INDEXED BY "${quoted}"`;
    const key = columns.slice(0, 2).join(",");
    if (!found.has(key)) found.set(key, clause);
  }
  return {
    bySessionId: found.get("session_id,id") ?? null,
    bySessionTime: found.get("session_id,timestamp") ?? null,
    bySessionActive: found.get("session_id,active") ?? null,
  };
};

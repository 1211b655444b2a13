import { readFileSync } from "node:fs";
import Database from "better-sqlite3";
import { waitForLock } from "./refusal.ts";
import { type Capabilities, identityOf, readCapabilities } from "./shape.ts";

export interface OpenStateDb {
  readonly db: Database.Database;
  /** Read again whenever a writer changed the schema. */
  capabilities(): Capabilities;
  /** False when another file lies at the path now, or none. */
  isCurrent(): boolean;
}

const text = (file: string): string => readFileSync(new URL(file, import.meta.url), "utf8");

/**
 * Opens a state.db of any version for appending; makes one (schema version 31) where nothing is, but never its folder: that
 * may be of a profile that was deleted a moment ago. An existing file keeps its journal mode, its schema and its indexes.
 * Throws `RefusedError` or SQLite's own errors.
 */
export const openStateDb = (path: string, limitMs: number): OpenStateDb => {
  const db = new Database(path, { timeout: 1000 });
  return orClose(db, () => {
    prepare(db);
    if (isEmpty(db)) create(db, limitMs);
    return opened(path, db);
  });
};

/** The same for a change of what is there: null where nothing is, and nothing is made. */
export const openExisting = (path: string): OpenStateDb | null => {
  if (identityOf(path) === null) return null;
  const db = new Database(path, { timeout: 1000, fileMustExist: true });
  return orClose(db, () => {
    prepare(db);
    if (!isEmpty(db)) return opened(path, db);
    db.close();
    return null;
  });
};

const orClose = <T>(db: Database.Database, work: () => T): T => {
  try {
    return work();
  } catch (error) {
    db.close();
    throw error;
  }
};

const prepare = (db: Database.Database): void => {
  db.pragma("foreign_keys = ON");
  db.pragma("synchronous = FULL");
};

const opened = (path: string, db: Database.Database): OpenStateDb => {
  const identity = identityOf(path);
  let known: { readonly version: unknown; readonly value: Capabilities } | null = null;
  const capabilities = (): Capabilities => {
    const version = db.pragma("schema_version", { simple: true });
    const value = known !== null && known.version === version ? known.value : readCapabilities(db);
    known = { version, value };
    return value;
  };
  capabilities();
  return { db, capabilities, isCurrent: () => identity !== null && identityOf(path) === identity };
};

const isEmpty = (db: Database.Database): boolean =>
  db.prepare("SELECT 1 FROM sqlite_master LIMIT 1").get() === undefined;

/** Several processes may do this at once: the first to hold the lock makes the tables, the others find them. */
const create = (db: Database.Database, limitMs: number): void => {
  waitForLock(limitMs, () => db.pragma("journal_mode = WAL"));
  waitForLock(limitMs, () => db.exec("BEGIN IMMEDIATE"));
  try {
    if (isEmpty(db)) {
      db.exec(text("schema.sql"));
      addFulltext(db);
    }
    db.exec("COMMIT");
  } catch (error) {
    if (db.inTransaction) db.exec("ROLLBACK");
    throw error;
  }
};

const addFulltext = (db: Database.Database): void => {
  db.exec("SAVEPOINT fulltext");
  try {
    db.exec(text("fulltext.sql"));
  } catch {
    // Search is a convenience of others; the transcript does not need it.
    db.exec("ROLLBACK TO fulltext");
  }
  db.exec("RELEASE fulltext");
};

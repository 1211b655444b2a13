import Database from "better-sqlite3";
import { BUSY_TIMEOUT_MS } from "./busy.ts";

/**
 * Opens a database of ours: WAL, `synchronous=FULL` so that a commit survives power loss, foreign keys on.
 * Not for files that other programs own (common/state-db has its own rules).
 */
export const openDatabase = (
  path: string,
  options: { readonly readonly?: boolean } = {},
): Database.Database => {
  const db = new Database(path, { readonly: options.readonly ?? false, timeout: BUSY_TIMEOUT_MS });
  if (!options.readonly) {
    db.pragma("journal_mode = WAL");
    db.pragma("synchronous = FULL");
    db.pragma("foreign_keys = ON");
  } else {
    db.pragma("query_only = ON");
  }
  db.pragma("cache_size = -16000");
  return db;
};

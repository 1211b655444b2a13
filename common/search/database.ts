import { rmSync } from "node:fs";
import type Database from "better-sqlite3";
import { migrate } from "../sqlite/migrate.ts";
import { openDatabase } from "../sqlite/open.ts";

/**
 * Opens search.db for writing and migrates it. Everything in it can be made again: a file that is damaged beyond reading is
 * replaced by an empty one, and a power loss may take the last seconds.
 */
export const openSearchDatabase = (path: string): Database.Database => {
  try {
    return open(path);
  } catch (error) {
    if (!isDamaged(error)) throw error;
    for (const suffix of ["", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
    return open(path);
  }
};

const open = (path: string): Database.Database => {
  const db = openDatabase(path);
  try {
    db.pragma("synchronous = NORMAL");
    migrate(db, new URL("./migrations/", import.meta.url));
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
};

const isDamaged = (error: unknown): boolean =>
  /^SQLITE_(NOTADB|CORRUPT)/.test((error as { code?: string }).code ?? "");

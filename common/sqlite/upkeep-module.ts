import { statSync } from "node:fs";
import type Database from "better-sqlite3";
import { openDatabase } from "./open.ts";

/** A log that grew above this is written back whole, so that its file is cut, too. */
const LARGE_WAL_BYTES = 64 * 1024 * 1024;
/** How long that waits for readers and writers, in milliseconds: they wait meanwhile. */
const TRUNCATE_WAIT_MS = 250;
/** Of rows that are looked at for each index; SQLite's own advice. */
const ANALYSIS_LIMIT = 1_000;
/** Pages that one upkeep gives back to the file system. */
const VACUUM_PAGES = 2_000;

export interface UpkeepOps {
  /** SQLite's upkeep of the file, bounded. Resolves with what it found. */
  keepUp(): { readonly walBytes: number; readonly freedPages: number };
}

/**
 * A connection of its own for upkeep, in a thread of its own: outside of the transactions of the thread that writes (a checkpoint cannot be
 * made in one), and nobody in this process waits for it.
 */
export const createOps = (_role: string, { path }: { readonly path: string }) => {
  const db = openDatabase(path);
  db.pragma("synchronous = NORMAL");
  return { db, ops: { keepUp: () => keepUp(db, path) } satisfies UpkeepOps };
};

const keepUp = (db: Database.Database, path: string): ReturnType<UpkeepOps["keepUp"]> => {
  db.pragma(`analysis_limit = ${ANALYSIS_LIMIT}`);
  // 0x10002: also tables that this connection has not asked about.
  db.pragma("optimize = 0x10002");
  // Only where somebody made the file so; ours are not, and a full one would stop every writer.
  const free = (): number => Number(db.pragma("freelist_count", { simple: true }));
  const before = free();
  if (db.pragma("auto_vacuum", { simple: true }) === 2) db.pragma(`incremental_vacuum(${VACUUM_PAGES})`);
  const freedPages = Math.max(0, before - free());
  // Waits for nobody, and writes back what it can.
  db.pragma("wal_checkpoint(PASSIVE)");
  const walBytes = walSize(path);
  if (walBytes > LARGE_WAL_BYTES) {
    db.pragma(`busy_timeout = ${TRUNCATE_WAIT_MS}`);
    db.pragma("wal_checkpoint(TRUNCATE)");
  }
  return { walBytes, freedPages };
};

const walSize = (path: string): number => statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;

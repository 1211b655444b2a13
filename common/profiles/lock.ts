import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import Database from "better-sqlite3";
import { messageOf, TalariaError } from "../base/errors.ts";

/** Runs `work` while nobody else, in this or another process, is inside one. */
export type Lock = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * A lock on a file of its own, held through SQLite: the operating system lets go of it when its process dies, however that happens,
 * so no lock is ever stale and none is ever taken from somebody who is still at work. Rejects with `store_unavailable`
 * when it does not come free in time.
 */
export const createLock = (path: string, waitMs = 10_000): Lock => {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(async () => {
      const release = await acquire(path, waitMs);
      try {
        return await work();
      } finally {
        release();
      }
    });
    last = turn.catch(() => undefined);
    return turn;
  };
};

const acquire = async (path: string, waitMs: number): Promise<() => void> => {
  const until = performance.now() + waitMs;
  for (;;) {
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      return take(path);
    } catch (cause) {
      if (!String((cause as { code?: unknown }).code).startsWith("SQLITE_BUSY"))
        throw new TalariaError("store_unavailable", `profiles cannot be changed: ${messageOf(cause)}`, {
          cause,
        });
      if (performance.now() > until)
        throw new TalariaError("store_unavailable", "another change of the profiles does not end", { cause });
    }
    // Nothing tells when another process lets go.
    await pause(5 + Math.random() * 15);
  }
};

/** The file stays empty: a transaction that writes nothing only holds its lock. */
const take = (path: string): (() => void) => {
  const db = new Database(path, { timeout: 0 });
  try {
    db.exec("begin immediate");
  } catch (error) {
    db.close();
    throw error;
  }
  return () => void db.close();
};

import type Database from "better-sqlite3";

/** Sessions whose journals Redis may hold, and some of them, spread over the time. */
export interface JournalSample {
  readonly sessions: number;
  readonly ids: readonly string[];
}

/** Of so many the sample is taken: the rest is older and, mostly, trimmed. */
const WALKED = 5_000;

/** Where journals are, without asking Redis for its keys. */
export const createJournalSampleOps = (db: Database.Database) => {
  const count = db.prepare<[number], number>("select count(*) from sessions where activity_at > ?").pluck();
  const newest = db
    .prepare<[number, number], string>(
      "select id from sessions where activity_at > ? order by activity_at desc, id desc limit ?",
    )
    .pluck();
  return {
    /** Sessions active after `since` (epoch seconds), `size` of them by id. */
    journalSample(since: number, size: number): JournalSample {
      const ids = newest.all(since, WALKED);
      const step = Math.max(1, ids.length / size);
      return {
        sessions: count.get(since) ?? 0,
        ids: Array.from({ length: Math.min(size, ids.length) }, (_, n) => ids[Math.floor(n * step)] ?? ""),
      };
    },
  };
};

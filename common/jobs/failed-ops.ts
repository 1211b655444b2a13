import type Database from "better-sqlite3";
import type { Job } from "../contracts/job.ts";

/** Reads of the failed jobs of one kind. Ended jobs are kept for a week, so what is walked over is bounded by that. */
export const createFailedJobOps = (db: Database.Database) => {
  const oldest = db
    .prepare<[string, number], string>(
      `select id from jobs where ended_at is not null and state = 'failed' and kind = ?
       order by ended_at, id limit ?`,
    )
    .pluck();
  const count = db
    .prepare<[string], number>(
      "select count(*) from jobs where ended_at is not null and state = 'failed' and kind = ?",
    )
    .pluck();
  return {
    /** The oldest first. */
    failedJobIds: (kind: Job["kind"], limit: number): string[] => oldest.all(kind, limit),
    failedJobCount: (kind: Job["kind"]): number => count.get(kind) ?? 0,
  };
};

import type Database from "better-sqlite3";
import type { Page } from "../contracts/http.ts";
import type { Job } from "../contracts/job.ts";
import type { OpsJobsQuery } from "../contracts/ops.ts";
import { decodeTimeCursor, pageOf } from "../sqlite/page-cursor.ts";
import { type JobRow, jobFromRow } from "./rows.ts";

export const createJobReadOps = (db: Database.Database) => {
  const byId = db.prepare<[string], JobRow>("select * from jobs where id = ?");
  const ofSession = db.prepare<[string], JobRow>(
    "select * from jobs where session_id = ? order by created_at desc, id limit 100",
  );
  const open = db.prepare<[number, number], JobRow>(
    `select * from jobs where state in ('queued', 'running') and created_at < ?
       and not exists (select 1 from outbox b where b.run_id = jobs.id and b.kind = 'work')
     order by created_at limit ?`,
  );
  const waiting = db.prepare<[], { kind: Job["kind"]; profile: string; n: number; since: number }>(
    `select kind, profile, count(*) as n, min(created_at) as since from jobs where state = 'queued'
     group by kind, profile`,
  );
  const busy = db
    .prepare<[], string>(
      `select profile from runs where status in ('queued', 'running', 'waiting', 'cancelling')
       union select profile from jobs where state in ('queued', 'running')
       union select profile from update_summaries where ended_at is null`,
    )
    .pluck();
  // Ended jobs are kept for a week, so what is walked over here is bounded by that.
  const failed = db.prepare<[number, string, number], JobRow>(
    `select * from jobs where ended_at is not null and state = 'failed' and (ended_at, id) < (?, ?)
     order by ended_at desc, id desc limit ?`,
  );
  const counts = db.prepare<[], { queued: number; running: number; failed: number }>(
    `select (select count(*) from jobs where state in ('queued', 'running') and state = 'queued') as queued,
       (select count(*) from jobs where state in ('queued', 'running') and state = 'running') as running,
       (select count(*) from jobs where ended_at is not null and state = 'failed') as failed`,
  );
  return {
    /** Null when there is none (any more). */
    findJob(id: string): Job | null {
      const row = byId.get(id);
      return row === undefined ? null : jobFromRow(row);
    },
    /** The attempt that may work on it now; null: it has ended, or is gone. */
    openAttempt(id: string): number | null {
      const row = byId.get(id);
      return row === undefined || row.ended_at !== null ? null : row.attempt;
    },
    /** The newest first. */
    jobsOf: (sessionId: string): Job[] => ofSession.all(sessionId).map(jobFromRow),
    /** Those that failed in the last days, the newest first. */
    failedJobs({ limit, cursor }: OpsJobsQuery): Page<Job> {
      const rows = failed.all(...decodeTimeCursor(cursor, Number.MAX_VALUE), limit + 1);
      return pageOf(rows, limit, (last) => [last.ended_at ?? 0, last.id], jobFromRow);
    },
    jobCounts: () => counts.get() ?? { queued: 0, running: 0, failed: 0 },
    /** Jobs that should have a live queue job, the oldest first. */
    openJobs: (olderThanS: number, limit: number): Job[] => open.all(olderThanS, limit).map(jobFromRow),
    /** What waits for a worker, by kind and profile. */
    jobsToBegin: () => waiting.all(),
    /** Profiles with runs or jobs that have not ended. */
    busyProfiles: (): string[] => busy.all(),
  };
};

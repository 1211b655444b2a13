import type Database from "better-sqlite3";
import type { Clock } from "../base/clock.ts";
import { TalariaError } from "../base/errors.ts";
import type { Page } from "../contracts/http.ts";
import type { Job } from "../contracts/job.ts";
import type { OpsJobsQuery } from "../contracts/ops.ts";
import type { Session } from "../contracts/session.ts";
import type { OutboxRow } from "../runs/ledger.ts";
import type { OutboxOps } from "../runs/outbox-ops.ts";
import { type SessionRow, sessionFromRow } from "../sessions/rows.ts";
import { decodePageCursor, encodePageCursor } from "../sqlite/page-cursor.ts";
import { type JobRow, jobFromRow } from "./rows.ts";

/** A job as its worker got it. */
export interface ClaimedJob {
  readonly job: Job;
  readonly input: JobRow["input"];
  readonly manual: boolean;
  readonly session: Session;
}

/** What is to be made of a session's title. */
export interface TitleWork {
  readonly sessionId: string;
  readonly about: string;
  readonly input: JobRow["input"];
  readonly manual: boolean;
}

export type JobEnd = Pick<Job, "reason"> & { readonly state: "done" | "skipped" | "failed" | "cancelled" };

/** Attempts of a job before it is given up: each worker that died in it counts. */
const MAX_ATTEMPTS = 3;

/** The rows of background jobs; run inside the store's threads. Every change of state is told through the outbox (B-1). */
export const createJobOps = (db: Database.Database, outbox: OutboxOps, now: Clock) => {
  const byId = db.prepare<[string], JobRow>("select * from jobs where id = ?");
  const session = db.prepare<[string], SessionRow>("select * from sessions where id = ?");
  const insert = db.prepare(
    // One that ended before the title became another one begins anew, and one that a person asks for again.
    `insert into jobs (id, kind, session_id, profile, input, input_revision, manual, state, created_at)
     values (@id, 'title', @sessionId, @profile, @input, @revision, @manual, 'queued', @at)
     on conflict (id) do update set state = 'queued', reason = null, attempt = 0, input_revision = excluded.input_revision,
       manual = excluded.manual, profile = excluded.profile, created_at = excluded.created_at, started_at = null,
       ended_at = null
     where jobs.ended_at is not null and (jobs.input_revision <> excluded.input_revision or excluded.manual = 1)`,
  );
  const claim = db.prepare(
    `update jobs set state = 'running', attempt = attempt + 1, worker = @worker,
       started_at = coalesce(started_at, @at) where id = @id`,
  );
  const end = db.prepare(
    "update jobs set state = @state, reason = @reason, ended_at = @at, worker = null where id = @id",
  );
  const again = db.prepare(
    `update jobs set state = 'queued', reason = null, attempt = 0, input_revision = @revision, profile = @profile,
       created_at = @at, started_at = null, ended_at = null
     where id = @id and state = 'failed'`,
  );
  const setTitle = db.prepare(
    // Nobody was active: neither times nor order nor unread marks change (B-5).
    `update sessions set title = @title, title_source = 'generated', title_revision = title_revision + 1,
       revision = revision + 1
     where id = @id and title_revision = @revision and (@manual = 1 or title_source is not 'user')`,
  );
  const forget = db.prepare<[number, number]>(
    "delete from jobs where id in (select id from jobs where ended_at < ? order by ended_at limit ?)",
  );

  const tell = (job: Pick<JobRow, "id" | "session_id">): OutboxRow =>
    outbox.putOutbox("job", job.session_id, job.id);
  const finish = (row: JobRow, { state, reason }: JobEnd): OutboxRow[] => {
    end.run({ id: row.id, state, reason, at: now() });
    return [tell(row)];
  };

  const putTitleJob = (work: TitleWork): { job: Job; outbox: OutboxRow[] } | null => {
    const owner = session.get(work.sessionId);
    if (owner === undefined) return null;
    const id = `title-${work.sessionId}-${work.about}`;
    const { changes } = insert.run({
      ...{ id, sessionId: work.sessionId, profile: owner.profile, input: work.input, at: now() },
      ...{ revision: owner.title_revision, manual: Number(work.manual) },
    });
    const row = byId.get(id);
    if (row === undefined) return null;
    return {
      job: jobFromRow(row),
      outbox: changes === 0 ? [] : [tell(row), outbox.putOutbox("work", row.session_id, id)],
    };
  };

  return {
    /** Makes the job, or finds the one that is about the same (B-3); null: the session is gone. */
    putTitleJob,

    /** A person asks for a title: also over one that a person gave (B-17); null: the session is gone. */
    regenerateTitle(sessionId: string): { job: Job; outbox: OutboxRow[] } | null {
      const revision = session.get(sessionId)?.title_revision ?? 0;
      return putTitleJob({ sessionId, about: `m${revision}`, input: "latest", manual: true });
    },

    /** Attempt n+1 of a job that has not ended; null: there is nothing (more) to do. */
    claimJob(id: string, worker: string): { claimed: ClaimedJob | null; outbox: OutboxRow[] } {
      const row = byId.get(id);
      const owner = row === undefined ? undefined : session.get(row.session_id);
      if (row === undefined || owner === undefined || row.ended_at !== null)
        return { claimed: null, outbox: [] };
      if (row.attempt >= MAX_ATTEMPTS)
        return { claimed: null, outbox: finish(row, { state: "failed", reason: "worker_crashed" }) };
      claim.run({ id, worker, at: now() });
      const claimed = byId.get(id) ?? row;
      return {
        claimed: {
          job: jobFromRow(claimed),
          input: claimed.input,
          manual: claimed.manual === 1,
          session: sessionFromRow(owner),
        },
        outbox: [tell(row)],
      };
    },

    /** Ends the job; nothing happens where this attempt is not the job's any more, or it has ended. */
    endJob(id: string, attempt: number, ending: JobEnd): OutboxRow[] {
      const row = byId.get(id);
      return row === undefined || row.attempt !== attempt || row.ended_at !== null ? [] : finish(row, ending);
    },

    /**
     * The title of a job that is still this attempt's, once, and only while the session has the title that the job was made for; a
     * person's title only where a person asked (B-2, B-10). Ends the job, also where it comes too late.
     */
    applyTitle(id: string, attempt: number, title: string, reason: string | null): OutboxRow[] {
      const row = byId.get(id);
      if (row === undefined || row.attempt !== attempt || row.ended_at !== null) return [];
      const { changes } = setTitle.run({
        ...{ id: row.session_id, title, revision: row.input_revision, manual: row.manual },
      });
      if (changes === 1)
        return [
          outbox.putOutbox("title", row.session_id, `${id}-title`),
          ...finish(row, { state: "done", reason }),
        ];
      const isManual = session.get(row.session_id)?.title_source === "user";
      return finish(row, { state: "skipped", reason: isManual ? "manual_title" : "title_changed" });
    },

    /**
     * A failed job begins anew, about what its session is now. One that has not ended is found as it is, so that asking twice is
     * harmless; null: there is none. Throws `conflict` for one that ended otherwise.
     */
    retryJob(id: string): { job: Job; outbox: OutboxRow[] } | null {
      const row = byId.get(id);
      const owner = row === undefined ? undefined : session.get(row.session_id);
      if (row === undefined || owner === undefined) return null;
      if (row.ended_at === null) return { job: jobFromRow(row), outbox: [] };
      const { changes } = again.run({
        ...{ id, revision: owner.title_revision, profile: owner.profile, at: now() },
      });
      if (changes === 0)
        throw new TalariaError("conflict", `this job is ${row.state}; only a failed one is retried`);
      return {
        job: jobFromRow(byId.get(id) ?? row),
        outbox: [tell(row), outbox.putOutbox("work", row.session_id, id)],
      };
    },

    /** Asks for the work of jobs to be put into the queue again. */
    requeueJobs: (ids: readonly string[]): OutboxRow[] =>
      ids.flatMap((id) => {
        const row = byId.get(id);
        return row === undefined || row.ended_at !== null
          ? []
          : [outbox.putOutbox("work", row.session_id, id)];
      }),

    /** Forgets at most `limit` jobs that ended before this time (epoch seconds). */
    forgetJobs: (before: number, limit: number): number => forget.run(before, limit).changes,
  };
};

export type JobOps = ReturnType<typeof createJobOps>;

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
       union select profile from jobs where state in ('queued', 'running')`,
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
    /** The newest first. */
    jobsOf: (sessionId: string): Job[] => ofSession.all(sessionId).map(jobFromRow),
    /** Those that failed in the last days, the newest first. */
    failedJobs({ limit, cursor }: OpsJobsQuery): Page<Job> {
      const [at, id] =
        cursor === undefined ? [Number.MAX_VALUE, ""] : decodePageCursor(cursor, ["number", "string"]);
      const rows = failed.all(Number(at), String(id), limit + 1);
      const data = rows.slice(0, limit);
      const last = data.at(-1);
      return {
        data: data.map(jobFromRow),
        next_cursor:
          rows.length > limit && last !== undefined ? encodePageCursor([last.ended_at ?? 0, last.id]) : null,
      };
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

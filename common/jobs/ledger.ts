import type Database from "better-sqlite3";
import type { Clock } from "../base/clock.ts";
import { TalariaError } from "../base/errors.ts";
import type { Job, JobProgress } from "../contracts/job.ts";
import type { Session } from "../contracts/session.ts";
import type { OutboxRow } from "../runs/ledger.ts";
import type { OutboxOps } from "../runs/outbox-ops.ts";
import { type SessionRow, sessionFromRow } from "../sessions/rows.ts";
import { revisionOf } from "./revision.ts";
import { type JobRow, jobFromRow } from "./rows.ts";

/** A job as its worker got it. */
export interface ClaimedJob {
  readonly job: Job;
  readonly input: string;
  readonly manual: boolean;
  readonly session: Session;
}

/** Work to be made a job of. */
export interface NewJob {
  readonly kind: Job["kind"];
  readonly sessionId: string;
  /** With kind and session the idempotence key (B-3). */
  readonly about: string;
  /** What its worker needs to know beside the session; the kind says how it is written. */
  readonly input: string;
  /** A person asked for it. */
  readonly manual: boolean;
}

export interface JobEnd {
  readonly state: "done" | "skipped" | "failed" | "cancelled";
  readonly reason: string | null;
  /** What came of it, for who asks for the job; at most a few kilobytes. */
  readonly result?: Readonly<Record<string, unknown>>;
}

export interface MadeJob {
  readonly job: Job;
  readonly outbox: OutboxRow[];
}

/** Attempts of a job before it is given up: each worker that died in it counts, one that gave it back does not. */
const MAX_ATTEMPTS = 3;

const ANEW = `state = 'queued', reason = null, progress = null, result = null, attempt = 0, handed_back = 0,
  started_at = null, ended_at = null`;

/**
 * The rows of background jobs, whatever their kind; run inside the store's threads. Every change of state is told through the
 * outbox (B-1). What a kind applies is beside it (`title-ops.ts`).
 */
export const createJobLedger = (db: Database.Database, outbox: OutboxOps, now: Clock) => {
  const byId = db.prepare<[string], JobRow>("select * from jobs where id = ?");
  const session = db.prepare<[string], SessionRow>("select * from sessions where id = ?");
  const insert = db.prepare(
    // One that ended before its subject became another one begins anew, and one that a person asks for again.
    `insert into jobs (id, kind, session_id, profile, input, input_revision, manual, state, created_at)
     values (@id, @kind, @sessionId, @profile, @input, @revision, @manual, 'queued', @at)
     on conflict (id) do update set ${ANEW}, input = excluded.input, input_revision = excluded.input_revision,
       manual = excluded.manual, profile = excluded.profile, created_at = excluded.created_at
     where jobs.ended_at is not null and (jobs.input_revision <> excluded.input_revision or excluded.manual = 1)`,
  );
  const claim = db.prepare<[{ id: string; worker: string; at: number }], JobRow>(
    `update jobs set state = 'running', progress = null, attempt = attempt + 1, worker = @worker,
       started_at = coalesce(started_at, @at) where id = @id returning *`,
  );
  const giveBack = db.prepare<[string, number], JobRow>(
    `update jobs set state = 'queued', progress = null, worker = null, handed_back = handed_back + 1
     where id = ? and attempt = ? and state = 'running' returning *`,
  );
  const end = db.prepare(
    `update jobs set state = @state, reason = @reason, result = @result, progress = null, ended_at = @at,
       worker = null where id = @id`,
  );
  const progress = db.prepare<[string, string]>("update jobs set progress = ? where id = ?");
  const again = db.prepare<[{ id: string; revision: number; profile: string; at: number }], JobRow>(
    `update jobs set ${ANEW}, input_revision = @revision, profile = @profile, created_at = @at
     where id = @id and state = 'failed' returning *`,
  );
  const forget = db.prepare<[number, number]>(
    "delete from jobs where id in (select id from jobs where ended_at < ? order by ended_at limit ?)",
  );

  const tell = (row: JobRow): OutboxRow => outbox.putOutbox("job", row.session_id, row.id);
  const queued = (row: JobRow): OutboxRow[] => [tell(row), outbox.putOutbox("work", row.session_id, row.id)];
  /** The job, while it is this attempt's. */
  const mine = (id: string, attempt: number): JobRow | null => {
    const row = byId.get(id);
    return row === undefined || row.attempt !== attempt || row.ended_at !== null ? null : row;
  };
  const finish = (row: JobRow, { state, reason, result }: JobEnd): OutboxRow[] => {
    end.run({
      ...{ id: row.id, state, reason, at: now() },
      result: result === undefined ? null : JSON.stringify(result),
    });
    return [tell(row)];
  };

  return {
    mine,
    finish,

    /** Makes the job, or finds the one that is about the same (B-3); null: the session is gone. */
    put({ kind, sessionId, about, input, manual }: NewJob): MadeJob | null {
      const owner = session.get(sessionId);
      if (owner === undefined) return null;
      const id = `${kind}-${sessionId}-${about}`;
      const { changes } = insert.run({
        ...{ id, kind, sessionId, profile: owner.profile, input, at: now() },
        ...{ revision: revisionOf(kind, owner), manual: Number(manual) },
      });
      const row = byId.get(id);
      return row === undefined ? null : { job: jobFromRow(row), outbox: changes === 0 ? [] : queued(row) };
    },

    /** What the processes call. */
    ops: {
      /**
       * Attempt n+1 of a job that has not ended; null: there is nothing (more) to do, or it is not a job of `profile`, in whose queue
       * it was found.
       */
      claimJob(
        id: string,
        worker: string,
        profile?: string,
      ): { claimed: ClaimedJob | null; outbox: OutboxRow[] } {
        const row = byId.get(id);
        const owner = row === undefined ? undefined : session.get(row.session_id);
        if (row === undefined || owner === undefined || row.ended_at !== null)
          return { claimed: null, outbox: [] };
        if (profile !== undefined && row.profile !== profile) return { claimed: null, outbox: [] };
        if (row.attempt - row.handed_back >= MAX_ATTEMPTS)
          return { claimed: null, outbox: finish(row, { state: "failed", reason: "worker_crashed" }) };
        const claimed = claim.get({ id, worker, at: now() });
        if (claimed === undefined) return { claimed: null, outbox: [] };
        const { input, manual } = claimed;
        return {
          claimed: {
            job: jobFromRow(claimed),
            ...{ input, manual: manual === 1, session: sessionFromRow(owner) },
          },
          outbox: [tell(row)],
        };
      },

      /** The attempt's worker stops: the job waits for the next one (B-40). Its queue delivers it again by itself. */
      handBackJob(id: string, attempt: number): OutboxRow[] {
        const row = giveBack.get(id, attempt);
        return row === undefined ? [] : [tell(row)];
      },

      /** How far the attempt is (B-22); nothing happens where it is not the job's any more. */
      progressJob(id: string, attempt: number, at: JobProgress): OutboxRow[] {
        const row = mine(id, attempt);
        if (row === null) return [];
        progress.run(JSON.stringify(at), id);
        return [tell(row)];
      },

      /** Ends the job; nothing happens where this attempt is not the job's any more, or it has ended. */
      endJob(id: string, attempt: number, ending: JobEnd): OutboxRow[] {
        const row = mine(id, attempt);
        return row === null ? [] : finish(row, ending);
      },

      /**
       * A person does not want it any more: from here on nothing of it is applied (B-21). Found as it is when it was cancelled before;
       * null: there is none. Throws `conflict` for one that ended otherwise.
       */
      cancelJob(id: string): MadeJob | null {
        const row = byId.get(id);
        if (row === undefined) return null;
        if (row.ended_at !== null && row.state !== "cancelled")
          throw new TalariaError("conflict", `this job is ${row.state}; it cannot be cancelled any more`);
        const told = row.ended_at === null ? finish(row, { state: "cancelled", reason: "by_person" }) : [];
        return { job: jobFromRow(byId.get(id) ?? row), outbox: told };
      },

      /**
       * A failed job begins anew, about what its session is now. One that has not ended is found as it is, so that asking twice is
       * harmless; null: there is none. Throws `conflict` for one that ended otherwise.
       */
      retryJob(id: string): MadeJob | null {
        const row = byId.get(id);
        const owner = row === undefined ? undefined : session.get(row.session_id);
        if (row === undefined || owner === undefined) return null;
        if (row.ended_at === null) return { job: jobFromRow(row), outbox: [] };
        const revision = revisionOf(row.kind, owner);
        const anew = again.get({ id, revision, profile: owner.profile, at: now() });
        if (anew === undefined)
          throw new TalariaError("conflict", `this job is ${row.state}; only a failed one is retried`);
        return { job: jobFromRow(anew), outbox: queued(anew) };
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
    },
  };
};

export type JobLedger = ReturnType<typeof createJobLedger>;

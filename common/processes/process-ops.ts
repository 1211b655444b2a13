import type Database from "better-sqlite3";
import type { Clock } from "../base/clock.ts";
import type { Process, ProcessReason } from "../contracts/process.ts";
import type { OutboxRow } from "../runs/ledger.ts";
import type { OutboxOps } from "../runs/outbox-ops.ts";
import { type ProcessRow, processFromRow } from "./rows.ts";

export interface NewProcess {
  readonly id: string;
  readonly sessionId: string;
  readonly profile: string;
  readonly runId: string;
  /** Redacted. */
  readonly command: string;
  readonly worker: string;
  readonly notify: boolean;
}

export interface ProcessEnd {
  readonly reason: ProcessReason;
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Redacted, bounded. */
  readonly output: string;
}

/** How many ends are written down by one pass. */
const LIMIT = 200;

/**
 * The rows of background processes; run inside the store's threads. A process belongs to the worker of its row: once the row has ended
 * nothing of that worker changes it, so its end is told once.
 */
export const createProcessOps = (db: Database.Database, outbox: OutboxOps, now: Clock) => {
  const byId = db.prepare<[string], ProcessRow>("select * from processes where id = ?");
  const session = db.prepare<[string]>("select 1 from sessions where id = ?");
  const running = db
    .prepare<[string], number>("select count(*) from processes where session_id = ? and state = 'running'")
    .pluck();
  const insert = db.prepare(
    `insert into processes (id, session_id, profile, run_id, command, worker, state, notify, started_at, seen_at)
     values (@id, @sessionId, @profile, @runId, @command, @worker, 'running', @notify, @at, @at)`,
  );
  const beat = db.prepare(
    `update processes set seen_at = @at, output = coalesce(@output, output)
     where id = @id and worker = @worker and state = 'running'`,
  );
  const end = db.prepare(
    `update processes set state = 'ended', ended_at = @at, reason = @reason, exit_code = @exitCode, signal = @signal,
       output = coalesce(@output, output), completion = @completion
     where id = @id and state = 'running'`,
  );
  const kill = db.prepare(
    "update processes set kill_by = coalesce(kill_by, @by) where id = @id and state = 'running'",
  );
  const silent = db.prepare<[number, number], ProcessRow>(
    "select * from processes where state = 'running' and seen_at < ? limit ?",
  );
  const forget = db.prepare<[number, number]>(
    `delete from processes where id in (select id from processes
       where ended_at < ? and ended_at is not null and completion <> 'pending' order by ended_at limit ?)`,
  );

  const tell = (row: Pick<ProcessRow, "id" | "session_id">): OutboxRow =>
    outbox.putOutbox("process", row.session_id, row.id);

  const finish = (row: ProcessRow, ending: Omit<ProcessEnd, "output"> & { output: string | null }) => {
    // Who ended it by a call of its own has read so in the call's result.
    const isKnown = row.kill_by === "model" || ending.reason === "not_started";
    const completion = row.notify === 1 && !isKnown ? "pending" : "none";
    end.run({ id: row.id, at: now(), completion, ...ending });
    return [
      tell(row),
      ...(completion === "pending" ? [outbox.putOutbox("wake", row.session_id, row.id)] : []),
    ];
  };

  return {
    /** Before anything is started. "full": the session has `max` running; "gone": it was deleted. */
    startProcess(
      process: NewProcess,
      max: number,
    ): { readonly process: Process; readonly outbox: OutboxRow[] } | "full" | "gone" {
      if (session.get(process.sessionId) === undefined) return "gone";
      if ((running.get(process.sessionId) ?? 0) >= max) return "full";
      insert.run({ ...process, notify: Number(process.notify), at: now() });
      const row = byId.get(process.id);
      if (row === undefined) throw new Error("the process was not written");
      return { process: processFromRow(row), outbox: [tell(row)] };
    },

    /** The worker still has these; answers those that are not its own any more, or gone: they must end. */
    beatProcesses(
      worker: string,
      processes: readonly { readonly id: string; readonly output: string | null }[],
    ): string[] {
      const at = now();
      return processes
        .filter(({ id, output }) => beat.run({ id, worker, output, at }).changes === 0)
        .map(({ id }) => id);
    },

    /** Its end, once; nothing where it was written down before, by whomever. */
    endProcess(id: string, worker: string, ending: ProcessEnd): OutboxRow[] {
      const row = byId.get(id);
      return row === undefined || row.state !== "running" || row.worker !== worker ? [] : finish(row, ending);
    },

    /** Asks for its end; the first who asks counts. Null: there is none. */
    killProcess(
      id: string,
      by: "model" | "person",
    ): { process: Process; asked: boolean; outbox: OutboxRow[] } | null {
      const { changes } = kill.run({ id, by });
      const row = byId.get(id);
      if (row === undefined) return null;
      const asked = changes === 1;
      return { process: processFromRow(row), asked, outbox: asked ? [tell(row)] : [] };
    },

    /** Ends processes whose worker has said nothing since `before` (epoch seconds): they ended with it. */
    endLostProcesses: (before: number): OutboxRow[] =>
      silent
        .all(before, LIMIT)
        .flatMap((row) => finish(row, { reason: "worker_lost", exitCode: null, signal: null, output: null })),

    /** Forgets at most `limit` of those that ended before this time. */
    forgetProcesses: (before: number, limit: number): number => forget.run(before, limit).changes,
  };
};

export type ProcessOps = ReturnType<typeof createProcessOps>;

export const createProcessReadOps = (db: Database.Database) => {
  const byId = db.prepare<[string], ProcessRow>("select * from processes where id = ?");
  const ofSession = db.prepare<[string, number], ProcessRow>(
    "select * from processes where session_id = ? order by started_at desc, id desc limit ?",
  );
  const lost = db.prepare<[number]>(
    "select 1 from processes where state = 'running' and seen_at < ? limit 1",
  );
  const toKill = db
    .prepare<[string], string>(
      "select id from processes where worker = ? and state = 'running' and kill_by is not null",
    )
    .pluck();
  const waiting = db
    .prepare<[number, number], string>(
      `select distinct p.session_id from processes p join sessions s on s.id = p.session_id
       where p.completion = 'pending' and (s.wake_paused is null or p.ended_at < ?)
         and not exists (select 1 from runs r where r.session_id = p.session_id
           and r.status in ('queued', 'running', 'waiting', 'cancelling'))
       limit ?`,
    )
    .pluck();
  const paused = db.prepare<[number], { profile: string; revision: string }>(
    `select distinct profile, wake_paused as revision from sessions where wake_paused is not null
       and exists (select 1 from processes p where p.session_id = sessions.id and p.completion = 'pending') limit ?`,
  );
  return {
    /** Null when there is none (any more). */
    findProcess(id: string): { readonly process: Process; readonly output: string } | null {
      const row = byId.get(id);
      return row === undefined ? null : { process: processFromRow(row), output: row.output };
    },
    /** The newest first. */
    processesOf: (sessionId: string, limit: number): Process[] =>
      ofSession.all(sessionId, limit).map(processFromRow),
    /** Whether a worker has said nothing of a process since then; see `endLostProcesses`. */
    anyLostProcess: (before: number): boolean => lost.get(before) !== undefined,
    /** Those of a worker whose end was asked for. */
    processesToKill: (worker: string): string[] => toKill.all(worker),
    /** Sessions that wait for nothing and have ends to be told; `staleBefore`: older ones are only told of, also where turns wait. */
    sessionsToWake: (staleBefore: number, limit: number): string[] => waiting.all(staleBefore, limit),
    /** Of the sessions whose turns wait for a usable key, the profiles with the configuration that had none. */
    pausedWakes: (limit: number) => paused.all(limit),
  };
};

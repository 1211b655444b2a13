import type Database from "better-sqlite3";
import type { Clock } from "../base/clock.ts";
import type { RunLimits } from "../contracts/profile.ts";
import type { OutboxRow } from "./ledger.ts";
import type { OutboxOps } from "./outbox-ops.ts";
import { HELD_SQL } from "./rows.ts";

/** `runs_per_minute` counts runs that begin within any so many seconds. */
const WINDOW_S = 60;
/** Runs that one transaction releases of a profile; the next look goes on. */
const AT_ONCE = 100;

/**
 * Which runs are given to the queue: the first one of each session, as many of a profile as it allows, the oldest first. Decided
 * in the transaction that makes room, so that a limit holds across all workers and processes.
 */
export const createReleaseOps = (db: Database.Database, outbox: OutboxOps, now: Clock) => {
  const limits = db.prepare<[string], RunLimits>(
    "select concurrent_runs, runs_per_minute from profile_limits where profile = ?",
  );
  const put = db.prepare(
    `insert into profile_limits (profile, concurrent_runs, runs_per_minute) values (@profile, @concurrent_runs, @runs_per_minute)
     on conflict (profile) do update
       set concurrent_runs = excluded.concurrent_runs, runs_per_minute = excluded.runs_per_minute
       where concurrent_runs is not excluded.concurrent_runs or runs_per_minute is not excluded.runs_per_minute`,
  );
  const drop = db.prepare<[string]>("delete from profile_limits where profile = ?");
  const open = db
    .prepare<[string, number], number>(
      `select count(*) from (select 1 from runs where profile = ? and ended_at is null and released_at is not null
       limit ?)`,
    )
    .pluck();
  const begun = db
    .prepare<[string, number, number], number>(
      "select count(*) from (select 1 from runs where profile = ? and released_at > ? limit ?)",
    )
    .pluck();
  const held = db.prepare<[string, number], { id: string; session_id: string }>(
    `select r.id, r.session_id from runs r where r.profile = ? and ${HELD_SQL}
     order by r.created_at, r.id limit ?`,
  );
  const limited = db
    .prepare<[], string>("select distinct profile from runs where status = 'queued' and released_at is null")
    .pluck();
  const release = db.prepare<[number, string]>(
    "update runs set released_at = coalesce(released_at, ?) where id = ?",
  );
  /** How many more runs of the profile may be given to the queue now. */
  const room = (profile: string): number => {
    const limit = limits.get(profile);
    if (limit === undefined) return AT_ONCE;
    const { concurrent_runs: most, runs_per_minute: perMinute } = limit;
    const slots = most === null ? AT_ONCE : most - (open.get(profile, most) ?? 0);
    const starts =
      perMinute === null ? AT_ONCE : perMinute - (begun.get(profile, now() - WINDOW_S, perMinute) ?? 0);
    return Math.max(0, Math.min(AT_ONCE, slots, starts));
  };

  const dispatch = (runId: string, sessionId: string): OutboxRow => {
    release.run(now(), runId);
    return outbox.putOutbox("dispatch", sessionId, runId);
  };

  const releaseHeld = (profile: string): OutboxRow[] => {
    const free = room(profile);
    return free === 0 ? [] : held.all(profile, free).map((run) => dispatch(run.id, run.session_id));
  };
  const releaseFor = (
    profile: string,
    first: { readonly id: string; readonly sessionId: string } | null,
  ): OutboxRow[] => {
    // Without limits nobody else waits: however long the queues of the sessions are, they are not looked through.
    if (limits.get(profile) === undefined) return first === null ? [] : [dispatch(first.id, first.sessionId)];
    return releaseHeld(profile);
  };

  return {
    /**
     * `first` stands first in its session now, or room was made in its profile: what may be given to the queue. Used inside the
     * transaction that changed it.
     */
    releaseFor,
    /** What may be given to the queue of all profiles: a minute is over, a limit was raised or taken away. */
    releaseDue: (): OutboxRow[] => limited.all().flatMap(releaseHeld),
    /** What the profile's configuration says now. */
    putLimits(profile: string, limits: RunLimits): void {
      if (limits.concurrent_runs === null && limits.runs_per_minute === null) drop.run(profile);
      else put.run({ profile, ...limits });
    },
  };
};

export type ReleaseOps = ReturnType<typeof createReleaseOps>;

import type Database from "better-sqlite3";
import type { Clock } from "../base/clock.ts";
import type { MaintenanceRow, MaintenanceTask } from "../contracts/maintenance.ts";

/** A task that was begun: nobody else begins it before the lease is over, and only this generation says how it ended. */
export interface BegunTask {
  readonly generation: number;
  readonly mark: number | null;
}

/** Who is at which task of maintenance, and how it went; run inside the store's thread. */
export const createMaintenanceOps = (db: Database.Database, now: Clock) => {
  const begin = db.prepare<unknown[], BegunTask>(
    `insert into maintenance (task, tick, until, generation, begun_at) values (@task, @tick, @until, 1, @at)
     on conflict (task) do update set tick = excluded.tick, until = excluded.until, generation = generation + 1,
       begun_at = excluded.begun_at
     where maintenance.until < @at or maintenance.tick = excluded.tick
     returning generation, mark`,
  );
  const renew = db.prepare(
    "update maintenance set until = @until where task = @task and generation = @generation and tick is not null",
  );
  const end = db.prepare(
    `update maintenance set tick = null, until = 0, last_ok_at = @at, done = @done, error = null, ok = ok + 1,
       mark = coalesce(@mark, mark)
     where task = @task and generation = @generation and tick is not null`,
  );
  const fail = db.prepare(
    `update maintenance set tick = null, until = 0, last_error_at = @at, error = @error, failed = failed + 1
     where task = @task and generation = @generation and tick is not null`,
  );
  const release = db.prepare(
    "update maintenance set tick = null, until = 0 where task = @task and generation = @generation and tick is not null",
  );

  return {
    /**
     * Begins the task for the job `tick`, for so many seconds unless it is renewed. Null while another one is at it. A job that is
     * delivered again takes over at once from whoever had it before: that one is dead, or finds itself overtaken.
     */
    beginTask: (task: MaintenanceTask, tick: string, seconds: number): BegunTask | null =>
      begin.get({ task, tick, at: now(), until: now() + seconds }) ?? null,
    /** False: it was overtaken, or has ended. */
    renewTask: (task: MaintenanceTask, generation: number, seconds: number): boolean =>
      renew.run({ task, generation, until: now() + seconds }).changes > 0,
    /** It went well. False, and nothing changed, when it was overtaken. `mark` null: as it was. */
    endTask: (task: MaintenanceTask, generation: number, done: number, mark: number | null): boolean =>
      end.run({ task, generation, done, mark, at: now() }).changes > 0,
    failTask: (task: MaintenanceTask, generation: number, error: string): boolean =>
      fail.run({ task, generation, error, at: now() }).changes > 0,
    /** Neither: it was given back. */
    releaseTask: (task: MaintenanceTask, generation: number): void => {
      release.run({ task, generation });
    },
  };
};

export const createMaintenanceReadOps = (db: Database.Database) => {
  const all = db.prepare<[], MaintenanceRow>(
    "select task, begun_at, last_ok_at, done, last_error_at, error, ok, failed from maintenance",
  );
  const archived = db.prepare<[number, number, number], { archived_at_ms: number; session_id: string }>(
    `select archived_at_ms, session_id from journal_archives where archived_at_ms > ? and archived_at_ms < ?
     order by archived_at_ms limit ?`,
  );
  const archivedAt = db
    .prepare<[number], string>("select distinct session_id from journal_archives where archived_at_ms = ?")
    .pluck();
  const oldestUntold = db
    .prepare<[], number | null>(
      `select min(r.ended_at) from outbox b join runs r on r.id = b.run_id where b.kind = 'finish'`,
    )
    .pluck();
  const buried = db.prepare<[number, number], { place: number; session_id: string; generation: number }>(
    `select t.rowid as place, t.session_id, t.generation from tombstones t
     where t.rowid > ? and not exists (select 1 from sessions s where s.id = t.session_id)
     order by t.rowid limit ?`,
  );

  return {
    maintenance: (): MaintenanceRow[] => all.all(),
    /**
     * Sessions with runs that were archived between these times (epoch ms, both exclusive), the oldest first, and up to when they are all
     * of them: with a full page that is its last time, whose sessions are all in it.
     */
    sessionsArchived(
      afterMs: number,
      beforeMs: number,
      limit: number,
    ): { sessionIds: string[]; toMs: number; more: boolean } {
      const rows = archived.all(afterMs, beforeMs, limit);
      const last = rows.at(-1)?.archived_at_ms ?? afterMs;
      const more = rows.length === limit;
      const sessionIds = new Set([
        ...rows.map(({ session_id }) => session_id),
        ...(more ? archivedAt.all(last) : []),
      ]);
      return { sessionIds: [...sessionIds], toMs: last, more };
    },
    /** When the first of those runs ended whose end is still to be told (epoch seconds); null: all are told. */
    oldestUntoldEnd: (): number | null => oldestUntold.get() ?? null,
    /** Deleted sessions that did not come back, behind a place; `place` goes on. */
    buriedSessions: (after: number, limit: number) => buried.all(after, limit),
  };
};

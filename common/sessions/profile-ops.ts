import type Database from "better-sqlite3";
import { TalariaError } from "../base/errors.ts";

/** A session that went with its profile. */
export interface DroppedSession {
  readonly id: string;
  /** Its fence: what is still written for it is older. */
  readonly generation: number;
  readonly runIds: readonly string[];
}

/** The sessions of a profile as a whole; run inside the store's threads. */
export const createProfileWriteOps = (db: Database.Database) => {
  const unfinished = db.prepare<[string], { id: string; session_id: string }>(
    `select id, session_id from runs where profile = ? and status in ('queued', 'running', 'waiting', 'cancelling')
     order by created_at, id`,
  );
  const sessions = db.prepare<[string], { id: string; generation: number }>(
    "select id, generation from sessions where profile = ?",
  );
  const bury = db.prepare<[string]>(
    `insert into tombstones (session_id, profile, generation, deleted_at, store_id, max_row_id, hidden, own, done)
     select id, profile, generation + 1, 0, store_id, 0, 0, '[]', 1 from sessions where profile = ?
     on conflict (session_id) do update set generation = excluded.generation, deleted_at = excluded.deleted_at,
       store_id = excluded.store_id, max_row_id = excluded.max_row_id, hidden = excluded.hidden,
       own = excluded.own, done = excluded.done`,
  );
  const OF_PROFILE = "session_id in (select id from sessions where profile = ?)";
  const dropOutbox = db.prepare<[string]>(`delete from outbox where ${OF_PROFILE}`);
  const dropArchives = db.prepare<[string]>(`delete from journal_archives where ${OF_PROFILE}`);
  const remove = db.prepare<[string]>("delete from sessions where profile = ?");
  const dropStore = db.prepare<[string]>("delete from stores where profile = ?");

  // A command that goes on beyond its run is work of the profile, too.
  const inBackground = db
    .prepare<[string], string>("select id from processes where state = 'running' and profile = ? limit 100")
    .pluck();
  const dropLimits = db.prepare<[string]>("delete from profile_limits where profile = ?");

  return {
    /**
     * Removes the sessions of a profile that is being deleted, with everything of them here. Throws `profile_busy` with the ids of
     * its unfinished runs, or of its background processes, nothing changed, unless `anyway`. Of each session only the fence stays: unlike a deleted session's,
     * this tombstone (deleted_at 0) keeps nothing of a state.db away, so a folder that is brought back brings its
     * conversations back, and no row of another program is touched.
     */
    dropProfile(profile: string, anyway: boolean): DroppedSession[] {
      const runs = unfinished.all(profile);
      if (runs.length > 0 && !anyway)
        throw new TalariaError("profile_busy", "the profile has runs that have not ended", {
          details: { run_ids: runs.slice(0, 100).map(({ id }) => id) },
        });
      const processes = anyway ? [] : inBackground.all(profile);
      if (processes.length > 0)
        throw new TalariaError("profile_busy", "the profile has commands running in the background", {
          details: { run_ids: [], process_ids: processes },
        });
      const dropped = sessions.all(profile).map(({ id, generation }) => ({
        id,
        generation: generation + 1,
        runIds: runs.filter(({ session_id }) => session_id === id).map((run) => run.id),
      }));
      bury.run(profile);
      dropOutbox.run(profile);
      dropArchives.run(profile);
      remove.run(profile);
      dropStore.run(profile);
      dropLimits.run(profile);
      return dropped;
    },
  };
};

export const createProfileReadOps = (db: Database.Database) => {
  const counts = db.prepare<[], { profile: string; n: number }>(
    "select profile, count(*) as n from sessions group by profile",
  );
  return {
    /** How many sessions each profile has; profiles without any are left out. */
    sessionCounts: (): { profile: string; n: number }[] => counts.all(),
  };
};

import type Database from "better-sqlite3";
import type { Clock } from "../base/clock.ts";
import { TalariaError } from "../base/errors.ts";
import { isSameStanding, type Standing, standingOf } from "./place-ops.ts";
import { COUNT_SQL, type Place } from "./places.ts";

export type CutKind = "undo" | "retry" | "edit" | "truncate" | "clear" | "deleted";

/** A durable mark of what a person took away (session-reconciliation c.7). */
export interface StoredCut {
  readonly keepThrough: number;
  readonly cutRowId: number;
  /** Device and inode of the file that the row ids are of. */
  readonly file: string | null;
  readonly removed: readonly string[];
}

/** A row that we wrote into state.db; in files without uids it is known by its row id. */
export interface OwnRow {
  readonly uid: string;
  readonly rowId: number | null;
}

export interface NewCut extends StoredCut {
  readonly kind: CutKind;
  /** Of the session when the places of the cut were looked for. */
  readonly standing: Standing;
  /** Ours among the removed rows. */
  readonly own: readonly OwnRow[];
  /** Messages of the sidecar from here on go. */
  readonly from: Place;
  /** Messages that are shown from the store and go, as far as that is known: the count until somebody has counted. */
  readonly shown: number;
}

/** Seconds that the counting of a cut session may take before its followers are told. */
const TELL_LEASE_S = 1;

/** Owes the followers of session `@id` a word of a change, with its reason, due at `@at`. */
export const createTell = (db: Database.Database) =>
  db.prepare<{ readonly id: string; readonly reason: "cut" | "external"; readonly at: number }>(
    // A new row each time: what changed while the last one was being told must be told as well.
    "insert or replace into outbox (kind, session_id, run_id, due_at) values (@reason, @id, @id, @at)",
  );

/** What a deleted session left to do in the store becomes the cut of the session that comes in its place. */
export const createInheritedCut = (db: Database.Database) =>
  db.prepare<{
    readonly id: string;
    readonly max_row_id: number;
    readonly own: string;
    readonly done: number;
    readonly at: number;
  }>(
    `insert into cuts (session_id, kind, keep_through, cut_row_id, removed, own, done, at)
     values (@id, 'deleted', 0, @max_row_id, '[]', @own, @done, @at)`,
  );

/** Cuts; `cutSession` runs inside the transaction of its caller. */
export const createCutOps = (db: Database.Database, now: Clock) => {
  const insert = db.prepare(
    `insert into cuts (session_id, kind, keep_through, cut_row_id, file, removed, own, done, at)
     values (@session, @kind, @keepThrough, @cutRowId, @file, @removed, @own, @done, @at)`,
  );
  const busy = db.prepare<[string], { id: string }>(
    `select id from runs where session_id = ? and status in ('queued', 'running', 'waiting', 'cancelling')
     order by turn limit 1`,
  );
  const done = db.prepare<[number]>("update cuts set done = 1 where id = ?");
  const purged = db.prepare<[string, string]>(
    "update tombstones set done = 1, own = '[]' where session_id = ? and own = ?",
  );
  const dropLocal = db.prepare(
    `delete from messages where session_id = @session and anchor is not null
       and (anchor, turn, idx) >= (@anchor, @turn, @idx)`,
  );
  const dropBound = db.prepare(
    "delete from messages where session_id = @session and anchor is null and row_id > @keepThrough",
  );
  const standing = standingOf(db);
  const count = db.prepare(
    `update sessions set store_count = max(0, store_count - @shown), counted = case when store_id is null then counted else 0 end,
       revision = revision + 1, context_revision = context_revision + 1, updated_at = @at, last_role = null, last_preview = null
     where id = @id`,
  );
  const recount = db.prepare(`update sessions set message_count = ${COUNT_SQL} where id = @id`);
  const tell = createTell(db);
  const see = db.prepare("update sessions set seen_count = min(seen_count, message_count) where id = ?");

  return {
    /**
     * Hides the store's rows of the cut for ever and removes the sidecar's messages from `from` on; one transaction with
     * whatever the caller does beside it. The store's part is counted anew. Throws `session_busy` while a run is unfinished,
     * `store_unavailable` where the session's messages stand elsewhere by now: the cut is then to be made anew.
     */
    cutSession(sessionId: string, cut: NewCut): void {
      const active = busy.get(sessionId);
      if (active !== undefined)
        throw new TalariaError("session_busy", "the session has an active run", {
          details: { active_run_id: active.id },
        });
      if (!isSameStanding(standing.get(sessionId), cut.standing))
        throw new TalariaError(
          "store_unavailable",
          "the session's messages are being brought into state.db",
          {
            retryAfterS: 1,
          },
        );
      const at = now();
      const { from, kind, keepThrough, cutRowId, file } = cut;
      if (cutRowId > keepThrough || cut.removed.length > 0)
        insert.run({
          ...{ session: sessionId, kind, keepThrough, cutRowId, file, at },
          removed: JSON.stringify(cut.removed),
          own: JSON.stringify(cut.own),
          done: Number(cut.own.length === 0),
        });
      dropLocal.run({ session: sessionId, ...from });
      dropBound.run({ session: sessionId, keepThrough });
      count.run({ id: sessionId, at, shown: cut.shown });
      recount.run({ id: sessionId });
      see.run(sessionId);
      // Leased for a moment to whoever counts the session first, so that followers are told the new number.
      tell.run({ id: sessionId, reason: "cut", at: at + TELL_LEASE_S });
    },
    /** The store's history lacks our removed rows now. */
    cutDone: (id: number): void => {
      done.run(id);
    },
    /** The same for a deleted session, unless more rows were found to be its own meanwhile. */
    burialDone: (sessionId: string, own: readonly OwnRow[]): void => {
      purged.run(sessionId, JSON.stringify(own));
    },
  };
};
export type CutOps = ReturnType<typeof createCutOps>;

export const createCutReadOps = (db: Database.Database) => {
  const ofSession = db.prepare<
    [string],
    { keep_through: number; cut_row_id: number; file: string | null; removed: string }
  >("select keep_through, cut_row_id, file, removed from cuts where session_id = ? order by id");
  const undone = db.prepare<
    [number],
    {
      id: number;
      profile: string;
      store_id: string;
      file: string | null;
      own: string;
    }
  >(
    // While something of the session is on its way into the store, removed rows may be among it.
    `select c.id, s.profile, coalesce(s.store_id, s.id) as store_id, c.file, c.own from cuts c
     join sessions s on s.id = c.session_id where c.done = 0
       and not exists (select 1 from outbox b where b.session_id = c.session_id and b.kind in ('sync', 'copy'))
     order by c.id limit ?`,
  );
  const unburied = db.prepare<
    [number],
    { session_id: string; profile: string; store_id: string | null; own: string }
  >("select session_id, profile, store_id, own from tombstones where done = 0 limit ?");
  return {
    /** Cuts whose rows of ours are still in the store's history. */
    undoneCuts: (limit: number) =>
      undone.all(limit).map(({ own, ...row }) => ({ ...row, own: JSON.parse(own) as OwnRow[] })),
    /** Deleted sessions whose rows of ours are still in the store. */
    unburied: (limit: number) =>
      unburied.all(limit).map(({ own, ...row }) => ({ ...row, own: JSON.parse(own) as OwnRow[] })),
    cutsOf: (sessionId: string): StoredCut[] =>
      ofSession.all(sessionId).map((row) => ({
        keepThrough: row.keep_through,
        cutRowId: row.cut_row_id,
        file: row.file,
        removed: JSON.parse(row.removed) as string[],
      })),
  };
};

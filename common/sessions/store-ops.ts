import type Database from "better-sqlite3";
import type { Clock } from "../base/clock.ts";
import { IdSchema } from "../contracts/ids.ts";
import type { Session } from "../contracts/session.ts";
import { createCutReadOps, createInheritedCut, createTell, type StoredCut } from "./cut-ops.ts";
import { createFreeId } from "./free-id.ts";
import { COUNT_SQL } from "./places.ts";
import { type SessionRow, sessionFromRow } from "./rows.ts";

/** A conversation of a state.db as the list shows it before anything of it was counted. */
export interface FoundConversation {
  readonly storeId: string;
  readonly source: string;
  readonly title: string | null;
  readonly model: string | null;
  readonly workspace: string | null;
  readonly startedAt: number;
  readonly lastActivityAt: number;
  readonly archived: boolean;
  readonly pinned: boolean;
  readonly forkedFrom: string | null;
  /** The writers' counter: a guess until the session is counted. */
  readonly countHint: number;
  /** What a change of is worth a look (see `markOf`). */
  readonly mark: string;
}

type LastMessage = NonNullable<Session["last_message"]>;

/** What a look at a session needs of it, read at one moment. */
export interface SessionSight {
  readonly row: SessionRow;
  readonly cuts: readonly StoredCut[];
  /** The newest cut; 0 without one. */
  readonly lastCut: number;
  /** Messages of the sidecar belong to it: turns of ours, imports or copies. */
  readonly isOurs: boolean;
}

/** What is known of a session in its state.db. */
export interface StoreView {
  readonly sessionId: string;
  readonly storeId: string;
  readonly cursor: number;
  readonly count: number;
  readonly time: number | null;
  readonly counted: boolean;
  /** The store's title, and whether another one there would be the session's. */
  readonly title: string | null;
  readonly shownTitle: string | null;
  readonly titleIsOurs: boolean;
  readonly mark: string | null;
  /** The newest cut: what was counted before it is wrong after it; 0 without one. */
  readonly lastCut: number;
}

export interface StoreUpdate {
  readonly sessionId: string;
  /** What this update was made from; something else now means that somebody was faster (c.2.6), or cut meanwhile. */
  readonly from: Pick<StoreView, "cursor" | "count" | "lastCut">;
  readonly cursor: number;
  readonly count: number;
  readonly time: number | null;
  readonly counted: boolean;
  readonly mark: string | null;
  /** Null: the store names none, or ours stays. */
  readonly title: string | null;
  /** The newest message, when it changed. */
  readonly last: { readonly role: LastMessage["role"]; readonly preview: string; readonly at: number } | null;
  /** Something that people see changed, and not by us: a new revision. */
  readonly visible: boolean;
  /** Why, for the followers. */
  readonly reason: "external" | "cut";
}

/** What of a session is compared with its conversation. */
export interface StoreMark {
  readonly id: string;
  readonly store_id: string;
  readonly store_mark: string | null;
  readonly store_title: string | null;
  readonly counted: number;
}

interface Grave {
  readonly session_id: string;
  readonly generation: number;
  readonly deleted_at: number;
  readonly max_row_id: number;
  readonly hidden: number;
  readonly own: string;
  readonly done: number;
}

/** The sessions table kept true to the state.db files; run inside the store's threads. */
export const createStoreWriteOps = (db: Database.Database, now: Clock) => {
  const byId = db.prepare<[string], SessionRow>("select * from sessions where id = ?");
  const byStore = db.prepare<[string, string], SessionRow>(
    "select * from sessions where profile = ? and store_id = ?",
  );
  const grave = db.prepare<[string, string], Grave>(
    "select * from tombstones where profile = ? and store_id = ?",
  );
  const insert = db.prepare(
    `insert into sessions (id, profile, title, title_source, model, workspace, source, pinned, archived, created_at, updated_at,
       activity_at, last_message_at, message_count, generation, store_id, store_count, counted, store_title, store_mark,
       seen_count, forked_from)
     values (@id, @profile, @title, null, @model, @workspace, @source, @pinned, @archived, @createdAt, @activityAt,
       @activityAt, @activityAt, @count, @generation, @storeId, @count, 0, @title, @mark, @seen, @forkedFrom)`,
  );
  const link = db.prepare(
    "update sessions set store_id = @storeId, store_title = @title, store_mark = @mark where id = @id and store_id is null",
  );
  const isBeingCopied = db.prepare<[string]>(
    "select 1 from outbox where session_id = ? and kind = 'copy' limit 1",
  );
  const cutAway = createInheritedCut(db);
  const dropGrave = db.prepare<[string]>("delete from tombstones where session_id = ?");
  const update = db.prepare(
    `update sessions set store_cursor = @cursor, store_count = @count, store_time = @time, counted = @counted,
       store_mark = coalesce(@mark, store_mark), revision = revision + @step,
       title = case when @renamed then @title else title end,
       title_source = case when @renamed then null else title_source end,
       title_revision = title_revision + @renamed,
       store_title = coalesce(@title, store_title),
       last_role = coalesce(@role, last_role), last_preview = coalesce(@preview, last_preview),
       last_message_at = coalesce(@at, last_message_at),
       activity_at = max(activity_at, coalesce(@at, 0))
     where id = @id`,
  );
  const lastCut = createLastCut(db);
  const recount = db.prepare(`update sessions set message_count = ${COUNT_SQL} where id = @id`);
  const see = db.prepare("update sessions set seen_count = message_count where id = ?");
  // Messages that went cannot be read any more: what comes in their place has not been seen.
  const unsee = db.prepare("update sessions set seen_count = min(seen_count, message_count) where id = ?");
  const endless = db.prepare<[string]>(
    "update sessions set last_role = null, last_preview = null where id = ? and message_count = 0",
  );
  const tell = createTell(db);
  const gone = db.prepare<[string]>("select 1 from runs where session_id = ? limit 1");
  const remove = db.prepare<[string]>("delete from sessions where id = ?");
  const empty = db.prepare(
    `update sessions set store_id = null, store_cursor = 0, store_count = 0, store_time = null, counted = 1, store_mark = null,
       store_title = null where id = @id`,
  );
  const revise = db.prepare<[string]>("update sessions set revision = revision + 1 where id = ?");
  const letGo = db.prepare<[string]>(
    "update messages set row_id = null where session_id = ? and anchor is null",
  );
  const freeId = createFreeId(db);

  const adopt = (profile: string, found: FoundConversation, seen: boolean): string | null => {
    if (byStore.get(profile, found.storeId) !== undefined) return null;
    const own = byId.get(found.storeId);
    if (own !== undefined && own.profile === profile && own.store_id === null) {
      // Who copies its messages into the store binds them, too: until then they are shown from here.
      if (isBeingCopied.get(own.id) !== undefined) return null;
      link.run({ id: own.id, storeId: found.storeId, title: found.title, mark: found.mark });
      return own.id;
    }
    const buried = grave.get(profile, found.storeId);
    if (buried !== undefined && (buried.hidden === 1 || found.startedAt <= buried.deleted_at)) return null;
    const id = buried?.session_id ?? freeId(profile, found.storeId);
    if (byId.get(id) !== undefined) return null;
    insert.run({
      id,
      profile,
      storeId: found.storeId,
      title: found.title,
      model: found.model,
      workspace: found.workspace,
      source: found.source,
      pinned: Number(found.pinned),
      archived: Number(found.archived),
      createdAt: found.startedAt,
      activityAt: found.lastActivityAt,
      count: found.countHint,
      mark: found.mark,
      seen: seen ? found.countHint : 0,
      forkedFrom:
        found.forkedFrom !== null && IdSchema.safeParse(found.forkedFrom).success ? found.forkedFrom : null,
      generation: buried === undefined ? 0 : buried.generation + 1,
    });
    if (buried !== undefined) {
      // What is still to be taken out of the store is the new session's to do.
      const { max_row_id, own, done } = buried;
      cutAway.run({ id, max_row_id, own, done, at: now() });
      dropGrave.run(buried.session_id);
    }
    return id;
  };

  return {
    /**
     * Makes rows for conversations that have none, and learns which of ours are there; deleted and hidden ones stay away.
     * Answers the ids of both.
     */
    adoptSessions: (profile: string, found: readonly FoundConversation[], seen: boolean): string[] =>
      found.flatMap((one) => adopt(profile, one, seen) ?? []),

    /** Null when somebody else was faster, or the session is gone. */
    updateFromStore(change: StoreUpdate): Session | null {
      const row = byId.get(change.sessionId);
      if (
        row === undefined ||
        row.store_cursor !== change.from.cursor ||
        row.store_count !== change.from.count ||
        (lastCut.get(row.id) ?? 0) !== change.from.lastCut
      )
        return null;
      update.run({
        id: row.id,
        cursor: change.cursor,
        count: change.count,
        time: change.time,
        counted: Number(change.counted),
        mark: change.mark,
        title: change.title,
        // Of the row as it is: a person may have named it since it was looked at.
        renamed: Number(isRenamed(viewOf({ row, lastCut: change.from.lastCut }), change.title)),
        step: Number(change.visible),
        role: change.last?.role ?? null,
        preview: change.last?.preview ?? null,
        at: change.last?.at ?? null,
      });
      recount.run({ id: row.id });
      endless.run(row.id);
      // The first count of a session that nobody has to catch up on.
      if (row.counted === 0 && row.seen_count >= row.message_count) see.run(row.id);
      else unsee.run(row.id);
      if (change.visible) tell.run({ id: row.id, reason: change.reason, at: now() });
      return sessionFromRow(byId.get(row.id) ?? row);
    },

    /** The conversation is gone from its file. Answers whether the session went with it: what we ran there stays ours. */
    storeSessionGone(sessionId: string): { removed: boolean; session: Session | null } {
      const row = byId.get(sessionId);
      if (row === undefined) return { removed: false, session: null };
      if (row.source !== "talaria" && gone.get(sessionId) === undefined) {
        remove.run(sessionId);
        return { removed: true, session: sessionFromRow(row) };
      }
      letGo.run(sessionId);
      empty.run({ id: sessionId });
      recount.run({ id: sessionId });
      endless.run(sessionId);
      unsee.run(sessionId);
      // Where nothing of it was shown, nobody sees a difference.
      if (byId.get(sessionId)?.message_count !== row.message_count) {
        revise.run(sessionId);
        tell.run({ id: sessionId, reason: "external", at: now() });
      }
      return { removed: false, session: sessionFromRow(byId.get(sessionId) ?? row) };
    },
  };
};

export const viewOf = ({ row, lastCut }: Pick<SessionSight, "row" | "lastCut">): StoreView => ({
  sessionId: row.id,
  storeId: row.store_id ?? "",
  cursor: row.store_cursor,
  count: row.store_count,
  time: row.store_time,
  counted: row.counted !== 0,
  title: row.store_title,
  shownTitle: row.title,
  titleIsOurs: row.title_source === "user",
  mark: row.store_mark,
  lastCut,
});

/** Whether another program gave the conversation a title that people see here; the one that we gave it, also with a number, is ours (B-18). */
export const isRenamed = (
  { title, shownTitle, titleIsOurs }: Pick<StoreView, "title" | "shownTitle" | "titleIsOurs">,
  found: string | null,
): boolean =>
  found !== null &&
  found !== title &&
  found !== shownTitle &&
  (shownTitle === null || !found.startsWith(`${shownTitle} #`)) &&
  !titleIsOurs;

const createLastCut = (db: Database.Database) =>
  db.prepare<[string], number | null>("select max(id) from cuts where session_id = ?").pluck();

export const createStoreReadOps = (db: Database.Database) => {
  const byId = db.prepare<[string], SessionRow>("select * from sessions where id = ?");
  const lastCut = createLastCut(db);
  const { cutsOf } = createCutReadOps(db);
  const anyMessage = db.prepare<[string]>("select 1 from messages where session_id = ? limit 1");
  const owners = db.prepare<[string, string], { storeId: string; id: string }>(
    `select s.store_id as storeId, s.id from json_each(?) j cross join sessions s
     where s.profile = ? and s.store_id = j.value`,
  );
  const marks = db.prepare<[string], StoreMark>(
    "select id, store_id, store_mark, store_title, counted from sessions where profile = ? and store_id is not null",
  );
  const highest = db
    .prepare<[string, string], number | null>(
      `select max(n) from (
         select max(store_cursor) as n from sessions where profile = ? union all
         select max(m.row_id) from sessions s cross join messages m
         where s.profile = ? and m.session_id = s.id and m.row_id is not null)`,
    )
    .pluck();
  const uncounted = db
    .prepare<[string, number], string>(
      "select id from sessions where profile = ? and counted = 0 and store_id is not null order by activity_at desc limit ?",
    )
    .pluck();

  return {
    /** The row of `sessions` as stored; null when there is none. */
    sessionRow: (id: string): SessionRow | null => byId.get(id) ?? null,
    /** Null when there is none. */
    sightOf(id: string): SessionSight | null {
      const row = byId.get(id);
      if (row === undefined) return null;
      const isOurs = anyMessage.get(id) !== undefined;
      return { row, cuts: cutsOf(id), lastCut: lastCut.get(id) ?? 0, isOurs };
    },
    /** Ids of the sessions of these conversations; unknown ones are left out. */
    ownersOf: (profile: string, storeIds: readonly string[]): { storeId: string; id: string }[] =>
      storeIds.length === 0 ? [] : owners.all(JSON.stringify(storeIds), profile),
    storeMarks: (profile: string): StoreMark[] => marks.all(profile),
    /** The highest row id that anything of the profile stands for: a file that never gave it out is another one (c.4). */
    highestRow: (profile: string): number => highest.get(profile, profile) ?? 0,
    /** Ids of sessions whose number is a guess or out of date, the newest first. */
    uncounted: (profile: string, limit: number): string[] => uncounted.all(profile, limit),
  };
};

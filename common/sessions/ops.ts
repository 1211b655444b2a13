import type Database from "better-sqlite3";
import type { Clock } from "../base/clock.ts";
import { TalariaError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import type { CreateSessionBody, ListSessionsQuery, Page, PatchSessionBody } from "../contracts/http.ts";
import type { Session, SessionHead, StoreState } from "../contracts/session.ts";
import { decodePageCursor, pageOf } from "../sqlite/page-cursor.ts";
import { createInheritedCut, type OwnRow } from "./cut-ops.ts";
import { type SessionRow, sessionFromRow } from "./rows.ts";

export type StoredHead = Omit<SessionHead, "last_event_id">;

export interface SessionListQuery extends ListSessionsQuery {
  /** Sessions whose messages match `q`, beside those whose title does. */
  readonly matching?: readonly string[] | undefined;
}

/** Statements of the sidecar's sessions, run inside the store's threads; see `SessionStore` for the promises. */
export const createSessionWriteOps = (db: Database.Database, now: Clock) => {
  const byId = db.prepare<[string], SessionRow>("select * from sessions where id = ?");
  const tombstone = db.prepare<
    [string],
    {
      generation: number;
      profile: string;
      store_id: string | null;
      max_row_id: number;
      own: string;
      done: number;
    }
  >("select generation, profile, store_id, max_row_id, own, done from tombstones where session_id = ?");
  const bindAgain = db.prepare("update sessions set store_id = @storeId, counted = 0 where id = @id");
  const cutAway = createInheritedCut(db);
  const insert = db.prepare(
    `insert into sessions (id, profile, title, title_source, model, workspace, source, created_at, updated_at, activity_at,
       generation, forked_from)
     values (@id, @profile, @title, @title_source, @model, @workspace, @source, @at, @at, @at, @generation, @forkedFrom)`,
  );
  const dropTombstone = db.prepare<[string]>("delete from tombstones where session_id = ?");
  const unfinished = db.prepare<[string], { id: string }>(
    `select id from runs where session_id = ? and status in ('queued', 'running', 'waiting', 'cancelling') order by turn`,
  );
  const patch = db.prepare(
    `update sessions set title = @title, title_source = @title_source, pinned = @pinned, archived = @archived,
       model = @model, profile = @profile, workspace = @workspace, updated_at = @at, revision = revision + 1,
       title_revision = title_revision + @renamed, wake_paused = case when model is @model then wake_paused end
     where id = @id and revision = @revision`,
  );
  const bury = db.prepare(
    `insert into tombstones (session_id, profile, generation, deleted_at, store_id, max_row_id, hidden,
       own, done)
     values (@id, @profile, @generation, @at, @storeId, @maxRowId, @hidden, @own, @done)
     on conflict (session_id) do update set generation = excluded.generation, deleted_at = excluded.deleted_at,
       store_id = excluded.store_id, max_row_id = excluded.max_row_id, hidden = excluded.hidden,
       own = excluded.own, done = excluded.done`,
  );
  const dropOutbox = db.prepare<[string]>("delete from outbox where session_id = ?");
  const dropArchives = db.prepare<[string]>("delete from journal_archives where session_id = ?");
  const remove = db.prepare<[string]>("delete from sessions where id = ?");
  const setSetting = db.prepare<[string, string]>(
    "insert into settings (key, value) values (?, ?) on conflict (key) do update set value = excluded.value",
  );
  const see = db.prepare<[string]>("update sessions set seen_count = message_count where id = ?");
  const dropSetting = db.prepare<[string]>("delete from settings where key = ?");

  const require = (id: string): SessionRow => {
    const row = byId.get(id);
    if (row === undefined) throw new TalariaError("session_not_found", "there is no such session");
    return row;
  };

  return {
    createSession(
      input: CreateSessionBody & { readonly profile: string; readonly forkedFrom?: string | undefined },
    ): {
      session: Session;
      created: boolean;
    } {
      const existing = input.id === undefined ? undefined : byId.get(input.id);
      if (existing !== undefined) {
        if (existing.profile !== input.profile) {
          throw new TalariaError("conflict", "a session with this id belongs to another profile");
        }
        return { session: sessionFromRow(existing), created: false };
      }
      const at = now();
      const id = input.id ?? newId("ses", at * 1000);
      const buried = tombstone.get(id);
      insert.run({
        id,
        profile: input.profile,
        title: input.title ?? null,
        title_source: input.title === undefined ? null : "user",
        model: input.model ?? null,
        workspace: input.workspace ?? null,
        source: "talaria",
        at,
        // A session made again under a deleted one's id starts above its fence (run-events R-18).
        generation: (buried?.generation ?? -1) + 1,
        forkedFrom: input.forkedFrom ?? null,
      });
      // What the deleted session of this id left in state.db stays out.
      const left = buried !== undefined && buried.max_row_id > 0 && buried.profile === input.profile;
      if (left && buried.store_id !== null) {
        bindAgain.run({ id, storeId: buried.store_id });
        const { max_row_id, own, done } = buried;
        cutAway.run({ id, max_row_id, own, done, at });
      }
      // In another profile the deleted one stays deleted.
      if (buried?.store_id === null || buried?.profile === input.profile) dropTombstone.run(id);
      return { session: sessionFromRow(require(id)), created: true };
    },

    patchSession(id: string, change: PatchSessionBody): Session {
      const row = require(id);
      if (change.profile !== undefined && change.profile !== row.profile) {
        if (unfinished.get(id) !== undefined)
          throw new TalariaError(
            "conflict",
            "the profile cannot change while the session has unfinished runs",
          );
        // Its messages are in the state.db of the profile it had.
        if (row.store_id !== null || row.message_count > 0)
          throw new TalariaError("conflict", "the profile can change only before the first message");
      }
      patch.run({
        id,
        revision: row.revision,
        title: change.title === undefined ? row.title : change.title,
        // A name that was taken away leaves room for an automatic one (background-jobs 1.1).
        title_source:
          change.title === undefined ? row.title_source : change.title === null ? null : ("user" as const),
        renamed: Number(change.title !== undefined),
        pinned: Number(change.pinned ?? row.pinned !== 0),
        archived: Number(change.archived ?? row.archived !== 0),
        model: change.model === undefined ? row.model : change.model,
        profile: change.profile ?? row.profile,
        workspace: change.workspace === undefined ? row.workspace : change.workspace,
        at: now(),
      });
      return sessionFromRow(require(id));
    },

    /**
     * Removes the session and everything of it here; its fence stays as a tombstone, which also keeps what is left of it in
     * state.db away (c.8). `maxRowId` is the newest row of the conversation there, `own` are the rows
     * that we wrote: they are deleted, unless the session is another program's; then it is only hidden.
     */
    deleteSession(
      id: string,
      maxRowId = 0,
      own: readonly OwnRow[] = [],
    ): { generation: number; runIds: string[]; profile: string } {
      const row = require(id);
      const runIds = unfinished.all(id).map((run) => run.id);
      const generation = row.generation + 1;
      bury.run({
        id,
        profile: row.profile,
        generation,
        at: now(),
        // Its first turn may be on its way into the store.
        storeId: row.store_id ?? (row.source === "talaria" ? id : null),
        maxRowId: Math.max(maxRowId, row.store_cursor),
        hidden: Number(row.source !== "talaria"),
        own: JSON.stringify(own),
        done: Number(row.source !== "talaria" || own.length === 0),
      });
      dropOutbox.run(id);
      dropArchives.run(id);
      remove.run(id);
      return { generation, runIds, profile: row.profile };
    },

    /** Everything up to now has been seen. */
    markRead(id: string): Session {
      require(id);
      see.run(id);
      return sessionFromRow(require(id));
    },

    patchSettings(change: { readonly bot_name?: string | null | undefined }): void {
      if (change.bot_name === undefined) return;
      const name = change.bot_name?.trim() ?? "";
      if (name === "") dropSetting.run("bot_name");
      else setSetting.run("bot_name", name);
    },
  };
};

export const createSessionReadOps = (db: Database.Database) => {
  const state = db.prepare<[string], { state: StoreState }>("select state from stores where profile = ?");
  const byId = db.prepare<[string], SessionRow>("select * from sessions where id = ?");
  const setting = db.prepare<[string], { value: string }>("select value from settings where key = ?");

  const require = (id: string): SessionRow => {
    const row = byId.get(id);
    if (row === undefined) throw new TalariaError("session_not_found", "there is no such session");
    return row;
  };
  /** As the mirror last saw the profile's file: a poll opens no other database (d.1.7). */
  const storeState = ({ profile, store_id }: SessionRow): StoreState =>
    store_id === null ? "none" : (state.get(profile)?.state ?? "none");
  const head = (row: SessionRow): StoredHead => ({
    message_count: row.message_count,
    last_message_at: row.last_message_at,
    revision: row.revision,
    active_run_id: row.active_run_id,
    stale: row.counted === 0,
    store: storeState(row),
  });

  return {
    getSession: (id: string): Session => sessionFromRow(require(id)),
    /** The session with what an announcement in its journal must respect. */
    sessionFence(id: string): { session: Session; generation: number; minSeq: number } {
      const row = require(id);
      return { session: sessionFromRow(row), generation: row.generation, minSeq: row.journal_seq };
    },

    /** Sessions of the tombstones' other side: null instead of an error. */
    findSession(id: string): Session | null {
      const row = byId.get(id);
      return row === undefined ? null : sessionFromRow(row);
    },

    listSessions(query: SessionListQuery): Page<Session> {
      const where: string[] = [];
      const values: (string | number)[] = [];
      const add = (sql: string, ...given: (string | number)[]): void => {
        where.push(sql);
        values.push(...given);
      };
      if (query.profile !== undefined) add("profile = ?", query.profile);
      if (query.source !== undefined) add("source = ?", query.source);
      if (query.archived !== undefined) add("archived = ?", query.archived === "true" ? 1 : 0);
      if (query.q !== undefined) {
        const title = `%${query.q.replace(/[\\%_]/g, "\\$&")}%`;
        const found = JSON.stringify(query.matching ?? []);
        add("(title like ? escape '\\' or id in (select value from json_each(?)))", title, found);
      }
      if (query.cursor !== undefined) {
        const [at, id] = decodePageCursor(query.cursor, ["number", "string"]);
        add("(activity_at, id) < (?, ?)", at ?? 0, id ?? "");
      }
      const sql = `select * from sessions ${where.length > 0 ? `where ${where.join(" and ")}` : ""}
        order by activity_at desc, id desc limit ?`;
      const rows = db.prepare<(string | number)[], SessionRow>(sql).all(...values, query.limit + 1);
      return pageOf(rows, query.limit, (last) => [last.activity_at, last.id], sessionFromRow);
    },

    sessionHead: (id: string): StoredHead => head(require(id)),

    sessionHeads(ids: readonly string[]): (StoredHead & { session_id: string })[] {
      const found: (StoredHead & { session_id: string })[] = [];
      for (const id of ids) {
        const row = byId.get(id);
        if (row !== undefined) found.push({ session_id: id, ...head(row) });
      }
      return found;
    },

    getSetting: (key: string): string | null => setting.get(key)?.value ?? null,
  };
};

export type SessionWriteOps = ReturnType<typeof createSessionWriteOps>;
export type SessionReadOps = ReturnType<typeof createSessionReadOps>;

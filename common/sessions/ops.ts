import type Database from "better-sqlite3";
import type { Clock } from "../base/clock.ts";
import { TalariaError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import type {
  CreateSessionBody,
  ListSessionsQuery,
  MessagePage,
  Page,
  PatchSessionBody,
} from "../contracts/http.ts";
import type { Session, SessionHead } from "../contracts/session.ts";
import { decodePageCursor, encodePageCursor } from "../sqlite/page-cursor.ts";
import { type MessageRow, messageFromRow, type SessionRow, sessionFromRow } from "./rows.ts";

export type StoredHead = Omit<SessionHead, "last_event_id">;

/** Statements of the sidecar's sessions, run inside the store's threads; see `SessionStore` for the promises. */
export const createSessionWriteOps = (db: Database.Database, now: Clock) => {
  const byId = db.prepare<[string], SessionRow>("select * from sessions where id = ?");
  const tombstone = db.prepare<[string], { generation: number }>(
    "select generation from tombstones where session_id = ?",
  );
  const insert = db.prepare(
    `insert into sessions (id, profile, title, title_source, model, workspace, source, created_at, updated_at, activity_at, generation)
     values (@id, @profile, @title, @title_source, @model, @workspace, @source, @at, @at, @at, @generation)`,
  );
  const dropTombstone = db.prepare<[string]>("delete from tombstones where session_id = ?");
  const unfinished = db.prepare<[string], { id: string }>(
    `select id from runs where session_id = ? and status in ('queued', 'running', 'waiting', 'cancelling') order by turn`,
  );
  const patch = db.prepare(
    `update sessions set title = @title, title_source = @title_source, pinned = @pinned, archived = @archived,
       model = @model, profile = @profile, workspace = @workspace, updated_at = @at, revision = revision + 1
     where id = @id and revision = @revision`,
  );
  const bury = db.prepare(
    `insert into tombstones (session_id, profile, generation, deleted_at) values (@id, @profile, @generation, @at)
     on conflict (session_id) do update set generation = excluded.generation, deleted_at = excluded.deleted_at`,
  );
  const dropOutbox = db.prepare<[string]>("delete from outbox where session_id = ?");
  const dropArchives = db.prepare<[string]>("delete from journal_archives where session_id = ?");
  const remove = db.prepare<[string]>("delete from sessions where id = ?");
  const setSetting = db.prepare<[string, string]>(
    "insert into settings (key, value) values (?, ?) on conflict (key) do update set value = excluded.value",
  );
  const dropSetting = db.prepare<[string]>("delete from settings where key = ?");

  const require = (id: string): SessionRow => {
    const row = byId.get(id);
    if (row === undefined) throw new TalariaError("session_not_found", "there is no such session");
    return row;
  };

  return {
    createSession(input: CreateSessionBody & { readonly profile: string }): {
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
        generation: (tombstone.get(id)?.generation ?? -1) + 1,
      });
      dropTombstone.run(id);
      return { session: sessionFromRow(require(id)), created: true };
    },

    patchSession(id: string, change: PatchSessionBody): Session {
      const row = require(id);
      if (
        change.profile !== undefined &&
        change.profile !== row.profile &&
        unfinished.get(id) !== undefined
      ) {
        throw new TalariaError("conflict", "the profile cannot change while the session has unfinished runs");
      }
      patch.run({
        id,
        revision: row.revision,
        title: change.title ?? row.title,
        title_source: change.title === undefined ? row.title_source : "user",
        pinned: Number(change.pinned ?? row.pinned !== 0),
        archived: Number(change.archived ?? row.archived !== 0),
        model: change.model === undefined ? row.model : change.model,
        profile: change.profile ?? row.profile,
        workspace: change.workspace === undefined ? row.workspace : change.workspace,
        at: now(),
      });
      return sessionFromRow(require(id));
    },

    /** Removes the session and everything of it; its fence stays as a tombstone. */
    deleteSession(id: string): { generation: number; runIds: string[]; profile: string } {
      const row = require(id);
      const runIds = unfinished.all(id).map((run) => run.id);
      const generation = row.generation + 1;
      bury.run({ id, profile: row.profile, generation, at: now() });
      dropOutbox.run(id);
      dropArchives.run(id);
      remove.run(id);
      return { generation, runIds, profile: row.profile };
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
  const byId = db.prepare<[string], SessionRow>("select * from sessions where id = ?");
  const page = db.prepare<[string, number, number, number, number], MessageRow>(
    `select * from messages where session_id = ? and (turn < ? or (turn = ? and idx < ?))
     order by turn desc, idx desc limit ?`,
  );
  const setting = db.prepare<[string], { value: string }>("select value from settings where key = ?");

  const require = (id: string): SessionRow => {
    const row = byId.get(id);
    if (row === undefined) throw new TalariaError("session_not_found", "there is no such session");
    return row;
  };
  const head = (row: SessionRow): StoredHead => ({
    message_count: row.message_count,
    last_message_at: row.last_message_at,
    revision: row.revision,
    active_run_id: row.active_run_id,
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

    listSessions(query: ListSessionsQuery): Page<Session> {
      const where: string[] = [];
      const values: (string | number)[] = [];
      const add = (sql: string, ...given: (string | number)[]): void => {
        where.push(sql);
        values.push(...given);
      };
      if (query.profile !== undefined) add("profile = ?", query.profile);
      if (query.source !== undefined) add("source = ?", query.source);
      if (query.archived !== undefined) add("archived = ?", query.archived === "true" ? 1 : 0);
      if (query.q !== undefined) add("title like ? escape '\\'", `%${query.q.replace(/[\\%_]/g, "\\$&")}%`);
      if (query.cursor !== undefined) {
        const [at, id] = decodePageCursor(query.cursor, ["number", "string"]);
        add("(activity_at, id) < (?, ?)", at ?? 0, id ?? "");
      }
      const sql = `select * from sessions ${where.length > 0 ? `where ${where.join(" and ")}` : ""}
        order by activity_at desc, id desc limit ?`;
      const rows = db.prepare<(string | number)[], SessionRow>(sql).all(...values, query.limit + 1);
      const data = rows.slice(0, query.limit);
      const last = data.at(-1);
      return {
        data: data.map(sessionFromRow),
        next_cursor:
          rows.length > query.limit && last !== undefined
            ? encodePageCursor([last.activity_at, last.id])
            : null,
      };
    },

    listMessages(
      id: string,
      query: { readonly limit: number; readonly before?: string | undefined },
    ): MessagePage {
      const session = require(id);
      const [turn, idx] =
        query.before === undefined
          ? [Number.MAX_SAFE_INTEGER, 0]
          : (decodePageCursor(query.before, ["number", "number"]) as [number, number]);
      const rows = page.all(id, turn, turn, idx, query.limit + 1);
      const data = rows.slice(0, query.limit);
      const oldest = data.at(-1);
      return {
        data: data.reverse().map(messageFromRow),
        next_cursor:
          rows.length > query.limit && oldest !== undefined
            ? encodePageCursor([oldest.turn, oldest.idx])
            : null,
        revision: session.revision,
      };
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

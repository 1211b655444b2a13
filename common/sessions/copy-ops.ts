import type Database from "better-sqlite3";
import type { Clock } from "../base/clock.ts";
import type { Message } from "../contracts/message.ts";
import type { Session } from "../contracts/session.ts";
import { createFreeId } from "./free-id.ts";
import { createLateRows } from "./late-rows.ts";
import { COUNT_SQL, previewOf } from "./places.ts";
import { type MessageRow, messageColumns, messageFromRow, type SessionRow, sessionFromRow } from "./rows.ts";

/** A message that is not of a run of ours: imported, or copied from another session. */
export interface CopiedMessage {
  readonly id: string;
  /** The row of state.db that it stands for, if any. */
  readonly rowId: number | null;
  readonly uid: string | null;
  readonly role: Message["role"];
  readonly content: string;
  readonly parts?: Message["parts"];
  readonly reasoning?: Message["reasoning"];
  readonly toolCalls?: Message["tool_calls"];
  readonly toolCallId?: string | undefined;
  readonly toolName?: string | undefined;
  readonly isError?: boolean | undefined;
  readonly status: Message["status"];
  readonly source?: Message["source"];
  readonly origin: string;
  /** Epoch seconds. */
  readonly createdAt: number;
}

/** A session whose messages are brought in as a whole. */
export interface CopiedSession {
  readonly id: string;
  readonly profile: string;
  readonly source: string;
  readonly title: string | null;
  readonly titleSource: Session["title_source"];
  readonly model: string | null;
  readonly workspace: string | null;
  readonly pinned: boolean;
  readonly archived: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly forkedFrom: string | null;
  /** The conversation of state.db that it is, and the rows up to which its messages stand for it. */
  readonly store: { readonly id: string; readonly cursor: number } | null;
  /** Tells whether the source of an import is the one that was imported before. */
  readonly digest: string | null;
  readonly messages: readonly CopiedMessage[];
}

/** What brings copied messages into state.db. */
export interface CopiedTurn {
  readonly session: Session;
  readonly messages: readonly { readonly message: Message; readonly bound: boolean }[];
}

/** Whole sessions: imports and forks, each one transaction. */
export const createCopyWriteOps = (db: Database.Database, now: Clock) => {
  const byId = db.prepare<[string], SessionRow>("select * from sessions where id = ?");
  const insert = db.prepare(
    `insert into sessions (id, profile, title, title_source, model, workspace, source, pinned, archived, created_at, updated_at,
       activity_at, last_message_at, message_count, seen_count, forked_from, store_id, store_cursor, base_cursor, import_digest,
       last_role, last_preview)
     values (@id, @profile, @title, @titleSource, @model, @workspace, @source, @pinned, @archived, @createdAt, @updatedAt,
       @activityAt, @lastAt, @count, @count, @forkedFrom, @storeId, @cursor, @cursor, @digest, @role, @preview)`,
  );
  const adopt = db.prepare(
    `update sessions set title = coalesce(@title, title), title_source = coalesce(@titleSource, title_source),
       model = coalesce(@model, model), workspace = coalesce(@workspace, workspace), pinned = max(pinned, @pinned),
       archived = @archived, created_at = min(created_at, @createdAt), base_cursor = @cursor, store_cursor = @cursor,
       store_count = 0, store_time = null, counted = 1, message_count = @count, seen_count = @count, import_digest = @digest,
       last_role = @role, last_preview = @preview, last_message_at = coalesce(@lastAt, last_message_at),
       revision = revision + 1, places_revision = places_revision + 1, updated_at = @now
     where id = @id`,
  );
  const clear = db.prepare("delete from messages where session_id = ? and turn = 0");
  const addMessage = db.prepare(
    `insert into messages (session_id, turn, idx, id, run_id, role, content, parts, reasoning, tool_calls, tool_call_id,
       tool_name, is_error, status, origin, created_at, row_id, uid, anchor, source)
     values (@session, 0, @idx, @id, null, @role, @content, @parts, @reasoning, @calls, @call, @tool, @error, @status,
       @origin, @at, @rowId, @uid, 0, @source)`,
  );
  const owe = db.prepare(
    "insert or ignore into outbox (kind, session_id, run_id, due_at) values ('copy', @id, @id, 0)",
  );
  const bind = db.prepare(
    "update messages set row_id = @rowId, uid = @uid, anchor = null where session_id = @session and id = @id",
  );
  const recount = db.prepare(`update sessions set message_count = ${COUNT_SQL} where id = @id`);
  const takeOut = createLateRows(db, now);
  const strays = db.prepare<[string], { id: string; idx: number }>(
    "select id, idx from messages where session_id = ? and turn = 0 and anchor = 0",
  );
  const before = db
    .prepare<[string, number], number | null>(
      "select max(row_id) from messages where session_id = ? and turn = 0 and idx < ?",
    )
    .pluck();
  const move = db.prepare("update messages set anchor = @anchor where session_id = @session and id = @id");
  const learn = db.prepare("update sessions set store_id = @storeId where id = @id and store_id is null");

  const write = (sessionId: string, messages: readonly CopiedMessage[]): void => {
    messages.forEach((message, idx) => {
      addMessage.run({ session: sessionId, idx, ...valuesOf(message) });
    });
  };
  const figures = (input: CopiedSession) => {
    const last = input.messages.at(-1);
    return {
      count: input.messages.length,
      role: last?.role ?? null,
      preview: last === undefined ? null : previewOf(last.content),
      lastAt: last?.createdAt ?? null,
      cursor: input.store?.cursor ?? 0,
      storeId: input.store?.id ?? null,
    };
  };

  const grave = db.prepare<[string, string]>(
    "select 1 from tombstones where profile = ? and store_id = ? and deleted_at > 0",
  );
  const freeId = createFreeId(db);
  const { shown, isTouched } = createKept(db);

  const copySession = (input: CopiedSession, copy: boolean): Session => {
    const { store, messages, ...rest } = input;
    const existing = shown(input.profile, store?.id ?? input.id);
    const values = {
      ...rest,
      pinned: Number(input.pinned),
      archived: Number(input.archived),
      ...figures(input),
    };
    const id = existing?.id ?? input.id;
    if (existing === undefined)
      insert.run({ ...values, activityAt: Math.max(input.createdAt, values.lastAt ?? 0) });
    else {
      clear.run(id);
      const { storeId: _s, source: _o, updatedAt: _u, forkedFrom: _f, profile: _p, ...changed } = values;
      adopt.run({ ...changed, id, now: now() });
    }
    write(id, messages);
    if (copy) owe.run({ id });
    const row = byId.get(id);
    if (row === undefined) throw new Error("the session was not written");
    return sessionFromRow(row);
  };

  return {
    /**
     * Makes the session, or gives the one that shows this conversation of state.db already the imported transcript. `copy`:
     * its messages are then brought into state.db, so that other programs can go on with them.
     */
    copySession,

    /**
     * The same for an import that may be repeated: "unchanged" for the same digest; "conflict", with nothing written, where
     * the session was continued, cut or deleted here.
     */
    importSession(
      input: Omit<CopiedSession, "id"> & { readonly storeId: string },
    ): "imported" | "updated" | "unchanged" | "conflict" {
      const { storeId, ...session } = input;
      if (grave.get(input.profile, storeId) !== undefined) return "conflict";
      const existing = shown(input.profile, storeId);
      if (existing !== undefined && existing.import_digest === input.digest) return "unchanged";
      if (existing !== undefined && isTouched(existing)) return "conflict";
      const id = existing?.id ?? freeId(input.profile, storeId);
      // What no state.db has is brought into one, so that other programs can go on with it.
      copySession({ ...session, id }, input.store === null);
      return existing === undefined || existing.import_digest === null ? "imported" : "updated";
    },

    /** The copies are in state.db: they are shown through their rows there from now on. Repeating it changes nothing. */
    bindCopies(
      sessionId: string,
      storeId: string,
      rows: readonly { readonly messageId: string; readonly rowId: number; readonly uid: string }[],
    ): void {
      const late = rows.filter(
        ({ messageId, rowId, uid }) =>
          bind.run({ session: sessionId, id: messageId, rowId, uid }).changes === 0,
      );
      takeOut(sessionId, storeId, late);
      learn.run({ id: sessionId, storeId });
      for (const stray of strays.all(sessionId))
        move.run({ session: sessionId, id: stray.id, anchor: before.get(sessionId, stray.idx) ?? 0 });
      recount.run({ id: sessionId });
    },
  };
};

/** What an import meets. */
const createKept = (db: Database.Database) => {
  const byId = db.prepare<[string], SessionRow>("select * from sessions where id = ?");
  const byStore = db.prepare<[string, string], SessionRow>(
    "select * from sessions where profile = ? and store_id = ?",
  );
  const runs = db.prepare<[string]>("select 1 from runs where session_id = ? limit 1");
  const cuts = db.prepare<[string]>("select 1 from cuts where session_id = ? limit 1");
  const anyMessage = db.prepare<[string]>("select 1 from messages where session_id = ? limit 1");
  return {
    /** The session that shows a conversation already. */
    shown(profile: string, storeId: string): SessionRow | undefined {
      const own = byId.get(storeId);
      return byStore.get(profile, storeId) ?? (own?.profile === profile ? own : undefined);
    },
    /** Whether a person would lose something with it. */
    isTouched: (row: SessionRow): boolean =>
      runs.get(row.id) !== undefined ||
      cuts.get(row.id) !== undefined ||
      (row.import_digest === null && anyMessage.get(row.id) !== undefined),
  };
};

const valuesOf = (message: CopiedMessage) => ({
  ...messageColumns(message),
  id: message.id,
  parts: message.parts === undefined ? null : JSON.stringify(message.parts),
  source: message.source ?? null,
  origin: message.origin,
  at: message.createdAt,
  rowId: message.rowId,
  uid: message.uid,
});

export const createCopyReadOps = (db: Database.Database) => {
  const session = db.prepare<[string], SessionRow>("select * from sessions where id = ?");
  const copies = db.prepare<[string], MessageRow>(
    "select * from messages where session_id = ? and turn = 0 order by idx",
  );
  const { shown, isTouched } = createKept(db);
  const mark = db
    .prepare<[], string | null>(
      "select group_concat(id || ' ' || import_digest, ' ') from sessions indexed by sessions_imported where import_digest is not null",
    )
    .pluck();
  const imported = db.prepare<[string, number], { id: string; profile: string }>(
    "select id, profile from sessions where import_digest is not null and id > ? order by id limit ?",
  );
  const alone = db.prepare<[string], MessageRow>(
    `select * from messages where session_id = ? and turn = 0 and row_id is null and anchor is not null
       and role in ('user', 'assistant', 'tool')`,
  );
  return {
    /** What is here of a conversation; null: nothing that a person made. */
    importedSession(
      profile: string,
      storeId: string,
    ): { readonly digest: string | null; readonly isTouched: boolean } | null {
      const row = shown(profile, storeId);
      if (row === undefined) return null;
      const touched = isTouched(row);
      return row.import_digest === null && !touched
        ? null
        : { digest: row.import_digest, isTouched: touched };
    },
    /** Imported sessions with the digests of what they came from, as one text: another one means other messages. */
    importedMark: (): string | null => mark.get() ?? null,
    /** Imported messages that no state.db has, of the imported sessions after `afterId`. */
    importedMessages(
      afterId: string,
      limit: number,
    ): { readonly id: string; readonly profile: string; readonly messages: Message[] }[] {
      return imported.all(afterId, limit).map(({ id, profile }) => ({
        ...{ id, profile },
        messages: alone.all(id).map(messageFromRow),
      }));
    },
    /** Copied messages on their way into state.db; null when the session is gone. */
    copiedTurn(sessionId: string): CopiedTurn | null {
      const row = session.get(sessionId);
      if (row === undefined) return null;
      return {
        session: sessionFromRow(row),
        messages: copies
          .all(sessionId)
          .map((message) => ({ message: messageFromRow(message), bound: message.row_id !== null })),
      };
    },
  };
};

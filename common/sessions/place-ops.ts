import type Database from "better-sqlite3";
import type { Clock } from "../base/clock.ts";
import { createLateRows } from "./late-rows.ts";
import { COUNT_SQL, PENDING, type Place, WRITTEN_SQL } from "./places.ts";
import type { MessageRow, SessionRow } from "./rows.ts";

/** What binds messages of ours to the rows of state.db that they became. */
export interface Binding {
  readonly sessionId: string;
  /** The run whose turn it is: what of it stays here is placed among its rows. */
  readonly runId: string;
  /** Id of the conversation's first segment, learnt with the first turn. */
  readonly storeId: string;
  /** What the conversation is called there, where that was just learnt. */
  readonly title?: string | null;
  readonly rows: readonly { readonly messageId: string; readonly rowId: number; readonly uid: string }[];
}

/** As long as it is the same, the messages of a session stand where they stood. */
export type Standing = Pick<SessionRow, "places_revision" | "store_id" | "next_turn">;

export const isSameStanding = (one: Standing | null | undefined, other: Standing): boolean =>
  one?.places_revision === other.places_revision &&
  one.store_id === other.store_id &&
  one.next_turn === other.next_turn;

/** The standing of the session `?`. */
export const standingOf = (db: Database.Database) =>
  db.prepare<[string], Standing>("select places_revision, store_id, next_turn from sessions where id = ?");

/** A message with what tells where it is in state.db. */
export type OwnMessage = Pick<MessageRow, "id" | "row_id" | "uid" | "anchor" | "turn" | "idx">;

/** Places of messages in the transcript; run inside the store's threads. */
export const createPlaceWriteOps = (db: Database.Database, now: Clock) => {
  const bind = db.prepare(
    "update messages set row_id = @rowId, uid = @uid, anchor = null where id = @messageId and session_id = @sessionId",
  );
  const follow = db.prepare(
    `update messages set anchor = @anchor where session_id = @sessionId and run_id = @runId and anchor = ${PENDING}`,
  );
  const followRows = db.prepare(
    `update messages set anchor = coalesce(
       (select max(row_id) from messages e where e.session_id = messages.session_id and e.turn = messages.turn
          and e.idx < messages.idx),
       (select min(row_id) - 1 from messages l where l.session_id = messages.session_id and l.turn = messages.turn),
       @anchor)
     where session_id = @sessionId and run_id = @runId and anchor = ${PENDING}`,
  );
  const learn = db.prepare(
    `update sessions set store_id = @storeId, store_title = coalesce(@title, store_title)
     where id = @id and store_id is null`,
  );
  const note = db.prepare("update sessions set store_title = @title where id = @id and store_id is not null");
  const recount = db.prepare(`update sessions set message_count = ${COUNT_SQL} where id = @id`);
  const takeOut = createLateRows(db, now);
  const cursor = db
    .prepare<[string], number>("select max(store_cursor, base_cursor) from sessions where id = ?")
    .pluck();
  const moveBase = db.prepare(
    "update messages set anchor = @anchor where session_id = @sessionId and id = @id and turn = 0",
  );

  return {
    /** The turn is in state.db: from now on it is shown through its rows there. Repeating it changes nothing. */
    bindTurn({ sessionId, runId, storeId, rows, title = null }: Binding): void {
      const late = rows.filter((row) => bind.run({ ...row, sessionId }).changes === 0);
      takeOut(sessionId, storeId, late);
      if (rows.length > 0) learn.run({ id: sessionId, storeId, title });
      followRows.run({ sessionId, runId, anchor: cursor.get(sessionId) ?? 0 });
      recount.run({ id: sessionId });
    },

    /** What the conversation is called in state.db, by our own doing. */
    noteStoreTitle(sessionId: string, title: string): void {
      note.run({ id: sessionId, title });
    },

    /** state.db will never take the turn: it stays here, behind what is known of the store now; of nothing, behind all. */
    placeTurn(sessionId: string, runId: string): void {
      const known = cursor.get(sessionId) ?? 0;
      if (known > 0) follow.run({ sessionId, runId, anchor: known });
    },

    /** Imported messages follow the rows that they stand for: some are shown no more, some again (c.2.4). */
    moveBase(
      sessionId: string,
      { hide, show }: { readonly hide: readonly string[]; readonly show: readonly string[] },
    ): void {
      for (const id of hide) moveBase.run({ sessionId, id, anchor: null });
      for (const id of show) moveBase.run({ sessionId, id, anchor: 0 });
      recount.run({ id: sessionId });
    },
  };
};

/** The highest row id of state.db that a row of ours in a session (`?`) is known by. */
export const newestWrittenRow = (db: Database.Database) =>
  db
    .prepare<[string], number>(
      `select m.row_id from messages m join sessions s on s.id = m.session_id
       where m.session_id = ? and m.row_id is not null and ${WRITTEN_SQL} order by m.row_id desc limit 1`,
    )
    .pluck();

export const createPlaceReadOps = (db: Database.Database) => {
  const local = db.prepare<[string, number, number, number, number], MessageRow>(
    `select * from messages where session_id = ? and anchor is not null and (anchor, turn, idx) < (?, ?, ?)
     order by anchor desc, turn desc, idx desc limit ?`,
  );
  const bound = db.prepare<[string, string, string, string], MessageRow>(
    `select * from messages where session_id = ? and row_id in (select value from json_each(?)) union
     select * from messages where session_id = ? and uid in (select value from json_each(?))`,
  );
  const pending = db.prepare<[string], MessageRow>(
    `select m.* from messages m join runs r on r.id = m.run_id
     where m.session_id = ? and m.anchor = ${PENDING} and r.ended_at is not null order by m.turn, m.idx`,
  );
  const own = db.prepare<[string], OwnMessage>(
    `select id, row_id, uid, anchor, turn, idx from messages
     where session_id = ? and role <> 'notice'`,
  );
  const alone = db.prepare<[string, number, number, number], MessageRow>(
    `select * from messages where session_id = ? and (turn, idx) < (?, ?) order by turn desc, idx desc limit ?`,
  );
  const base = db.prepare<[string], MessageRow>(
    "select * from messages where session_id = ? and turn = 0 order by idx",
  );
  const boundBase = db.prepare<[string], { id: string; row_id: number; shown: number }>(
    `select m.id, m.row_id, m.anchor is not null as shown from messages m join sessions s on s.id = m.session_id
     where m.session_id = ? and m.turn = 0 and m.row_id <= s.base_cursor`,
  );
  const newestBound = db
    .prepare<[string], number>(
      // Asked for each look at a session: in this form the index answers, however long the session is.
      `select row_id from messages where session_id = ? and anchor is null and row_id is not null
       order by row_id desc limit 1`,
    )
    .pluck();
  const newestWritten = newestWrittenRow(db);
  const between = db
    .prepare<[string, number, number], number>(
      "select count(*) from messages where session_id = ? and anchor is null and row_id > ? and row_id <= ?",
    )
    .pluck();
  const byId = db.prepare<[string, string], MessageRow>(
    "select * from messages where session_id = ? and id = ?",
  );
  const at = db.prepare<[string, number, number], MessageRow>(
    "select * from messages where session_id = ? and turn = ? and idx = ?",
  );
  const standing = standingOf(db);

  return {
    /** Messages shown from the sidecar that stand before a place, newest first. */
    localBefore: (sessionId: string, before: Place, limit: number): MessageRow[] =>
      local.all(sessionId, before.anchor, before.turn, before.idx, limit),
    /** Everything the sidecar holds before a turn and index, newest first: the answer while the store cannot be read. */
    sidecarBefore: (sessionId: string, turn: number, idx: number, limit: number): MessageRow[] =>
      alone.all(sessionId, turn, idx, limit),
    /** Imported and copied messages, in order. */
    baseMessages: (sessionId: string): MessageRow[] => base.all(sessionId),
    /** Imported messages that stand for rows of the store, and whether they are shown. */
    boundBase: (sessionId: string): { id: string; row_id: number; shown: number }[] =>
      boundBase.all(sessionId),
    /** What we know of store rows that are ours or that we imported. */
    boundMessages: (sessionId: string, rowIds: readonly number[], uids: readonly string[]): MessageRow[] =>
      bound.all(sessionId, JSON.stringify(rowIds), sessionId, JSON.stringify(uids)),
    /** Turns that have ended and are not known to be in state.db. */
    pendingMessages: (sessionId: string): MessageRow[] => pending.all(sessionId),
    /** What may be rows of state.db; see `ownRowsOf` for which of them are ours. */
    ownMessages: (sessionId: string): OwnMessage[] => own.all(sessionId),
    /** How many messages are shown through store rows above one row id and up to another. */
    ownRowsBetween: (sessionId: string, above: number, upTo: number): number =>
      between.get(sessionId, above, upTo) ?? 0,
    /** The highest row id that a message was bound to, whether the row is still there or not; 0 without one. */
    newestBoundRow: (sessionId: string): number => newestBound.get(sessionId) ?? 0,
    /** The highest row id that state.db gave to a row that we wrote; 0 without one. */
    newestWrittenRow: (sessionId: string): number => newestWritten.get(sessionId) ?? 0,
    findMessage: (sessionId: string, id: string): MessageRow | null => byId.get(sessionId, id) ?? null,
    /** The message that the sidecar has under these numbers, wherever it stands. */
    messageAt: (sessionId: string, turn: number, idx: number): MessageRow | null =>
      at.get(sessionId, turn, idx) ?? null,
    /** What changes with the places of a session's messages; null when it is gone. */
    standing: (sessionId: string): Standing | null => standing.get(sessionId) ?? null,
  };
};

import { PREVIEW_CHARS } from "../contracts/session.ts";

/**
 * Where a message stands in the one transcript of sidecar and state.db. A row of state.db stands at its row id. A message
 * that is shown from the sidecar stands behind the row that its `anchor` names, ordered there by turn and index: imported
 * ones at 0, in front of every row; notices behind the row of their turn that they follow; turns that are not in state.db yet at
 * `PENDING`, behind every row (session-reconciliation b.2, c.6).
 */
export interface Place {
  readonly anchor: number;
  /** -1 for a row of state.db itself. */
  readonly turn: number;
  readonly idx: number;
}

/** Anchor of turns that are not in state.db yet. */
export const PENDING = 9_000_000_000_000_000;
/** In front of everything. */
export const START: Place = { anchor: Number.MIN_SAFE_INTEGER, turn: 0, idx: 0 };
/** Behind everything. */
export const END: Place = { anchor: PENDING, turn: Number.MAX_SAFE_INTEGER, idx: 0 };

export const rowPlace = (rowId: number): Place => ({ anchor: rowId, turn: -1, idx: 0 });

/** The place right behind a message: a page before it ends with the message, a walk from it on begins with the next one. */
export const placeBehind = ({ anchor, turn, idx }: Place): Place => ({ anchor, turn, idx: idx + 1 });

/** Whether the message there is shown from state.db. */
export const isStored = ({ turn }: Place): boolean => turn === -1;

/** Negative when `a` stands before `b`. */
export const comparePlaces = (a: Place, b: Place): number =>
  a.anchor - b.anchor || a.turn - b.turn || a.idx - b.idx;

/** The beginning of a message as one line of a list. */
export const previewOf = (content: string): string =>
  content
    .slice(0, PREVIEW_CHARS * 4)
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, PREVIEW_CHARS);

/**
 * SQL for `message_count` of the session `@id`: the store's counted rows, what is shown from here, and our rows in the store
 * that were not counted yet (d.1.1).
 */
export const COUNT_SQL = `(store_count
  + (select count(*) from messages m where m.session_id = sessions.id and m.anchor is not null)
  + (select count(*) from messages m where m.session_id = sessions.id and m.row_id > sessions.store_cursor
       and m.anchor is null))`;

/**
 * SQL: true for a message `m` of a session `s` that we bring into state.db ourselves: of a run, or copied. Those that an import
 * found there are other programs'.
 */
export const WRITTEN_SQL = "(m.run_id is not null or s.base_cursor = 0)";

import type { StateRow } from "./rows.ts";

/** Why a file cannot be read right now. Nothing of it is lost: the caller goes on with what it holds. */
export type Trouble =
  /** Nothing lies at the path. */
  | "missing"
  /** No database, or one without the two tables. */
  | "not_a_state_db"
  | "corrupt"
  /** Another program holds it exclusively for longer than we waited. */
  | "locked"
  /** No right to read, a journal that only a writer can roll back, an I/O error. */
  | "unavailable";

/** Every operation answers in this form; none throws for what a file does. */
export type Answer<T> =
  | { readonly state: "ok"; readonly value: T }
  | { readonly state: Trouble; readonly message: string };

export interface FileInfo {
  /** The number the file carries: for diagnostics, never to decide by (a.6). */
  readonly version: number | null;
  /** The number is above the newest one known here; the file is read by its columns all the same. */
  readonly newer: boolean;
  readonly columns: { readonly sessions: readonly string[]; readonly messages: readonly string[] };
  /** Device, inode and schema fingerprint: another value is another file or another layout of it. */
  readonly generation: string;
}

/**
 * "conversation": a session that nothing below explains. "branch", "reset": made from another session and separate from
 * it. "delegate": a tool's or a subagent's work, opened from its parent and never listed beside it (c.8).
 */
export type SessionKind = "conversation" | "branch" | "reset" | "delegate";

export interface SessionInfo {
  readonly id: string;
  /** Writer surface: an open set. */
  readonly source: string;
  readonly kind: SessionKind;
  readonly title: string | null;
  readonly model: string | null;
  readonly cwd: string | null;
  readonly parentId: string | null;
  /** The session that `_branched_from` names: this one began as a copy of it. */
  readonly forkedFrom: string | null;
  /** Epoch seconds, as everywhere here. */
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly endReason: string | null;
  readonly lastActivityAt: number;
  /** A writer's counter of active rows: a hint, often stale, never to be shown as a count (d.1.4). */
  readonly messageCountHint: number;
  readonly rewindCount: number;
  readonly archived: boolean;
  readonly pinned: boolean;
}

/** One conversation: a chain of segments that compression made counts once, under its first segment's id. */
export interface ConversationInfo extends Omit<SessionInfo, "endedAt" | "endReason"> {
  /** The segment that runs go to; the id itself where nothing was rotated. */
  readonly tipId: string;
  readonly segmentCount: number;
  /** Over all segments: another value than before means that flags of rows changed (c.2). */
  readonly rewindCount: number;
}

export interface ListQuery {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly source?: string | undefined;
  readonly kinds?: readonly SessionKind[] | undefined;
  readonly archived?: boolean | undefined;
  /** Only conversations that name no parent. */
  readonly parentless?: boolean | undefined;
}

export interface ConversationPage {
  /** Newest activity first. */
  readonly sessions: readonly ConversationInfo[];
  readonly next: string | null;
  /** How many the filters let through. */
  readonly total: number;
}

export interface Segments {
  /** Root to tip. Of a longer chain the newest 1,000. */
  readonly ids: readonly string[];
  readonly rootId: string;
  readonly tipId: string;
  /** The cap of 1,000 or a circle in the file ended the walk (a.9). */
  readonly cut: boolean;
}

/**
 * What a person removed from a conversation (c.7, c.8). Row ids are unique in a file, so one of these serves a whole
 * chain. A message is hidden where it stands at a hidden row, or a hidden row speaks for it.
 */
export interface Hidden {
  /** Row ids above the first and up to the second are out. They are jumped over, not read. */
  readonly ranges: readonly (readonly [number, number])[];
  /** Identities of removed rows (`identitiesOf` of the merge's form): later copies of them are out. */
  readonly removed: readonly string[];
  /** Rows up to this id are out; 0 for none. */
  readonly floor: number;
}

export interface HiddenOption {
  readonly hidden?: Hidden | undefined;
}

export interface PageQuery extends HiddenOption {
  /** Position of the oldest row the caller has; without it the page is the newest one. */
  readonly before?: number | undefined;
  readonly limit: number;
  /** Texts longer than this many bytes come shortened to as many characters and marked; pictures are never cut. */
  readonly contentLimit?: number | undefined;
}

export interface DisplayPage {
  /** Oldest first; one row per message (a.7), every one of them displayable. */
  readonly rows: readonly DisplayRow[];
  /** `before` of the next older page; null at the beginning. */
  readonly nextBefore: number | null;
}

export interface DisplayRow extends StateRow {
  /** The smallest row id of the message's visible rows: where it stands. */
  readonly position: number;
}

export interface RowsAfter {
  /** By row id; rows nobody sees are there too and say so. */
  readonly rows: readonly StateRow[];
  /** Highest id that was looked at: the next cursor. */
  readonly cursor: number;
  readonly more: boolean;
}

export interface SessionChange {
  readonly sessionId: string;
  /** Rows in this batch, of every role. */
  readonly count: number;
  readonly maxRowId: number;
  /** Null where reading it would mean reading past a body of megabytes. */
  readonly lastTimestamp: number | null;
  readonly lastRole: string;
}

export interface Changes {
  /** In the order of each session's first new row. */
  readonly changes: readonly SessionChange[];
  /** Highest id that was looked at. */
  readonly watermark: number;
  readonly more: boolean;
  /** The watermark that was asked from lies above every id this file ever gave out: it is another file (c.4). */
  readonly replaced: boolean;
}

export interface DataVersion {
  /** Changes with every commit of anybody else and with every other file; compare for equality only. */
  readonly version: string;
  readonly generation: string;
}

/** Metadata of one session (a segment), without a look at a body. */
export interface SessionHead {
  readonly id: string;
  /** The writers' counter of active rows (see `messageCountHint`). */
  readonly messageCount: number;
  /** 0 without rows. */
  readonly maxRowId: number;
  readonly lastActivityAt: number;
  readonly rewindCount: number;
  readonly endReason: string | null;
}

export interface ModelRows {
  /** By row id: active rows of the tip with a role that models know, summaries among them (`summary`). */
  readonly rows: readonly StateRow[];
  /** `maxRows` left older rows out. */
  readonly cut: boolean;
}

export interface ModelQuery extends HiddenOption {
  readonly maxRows?: number | undefined;
  /** Only rows up to this id. */
  readonly upTo?: number | undefined;
}

export interface CountQuery extends HiddenOption {
  /** `next` of the call before; absent or null begins at the newest row. */
  readonly from?: number | null | undefined;
  /** Rows looked at by this call, at most. It stops earlier when it took long. */
  readonly limit: number;
}

/** One step of a count from the end towards the beginning; the counts of all steps add up. */
export interface CountStep {
  readonly count: number;
  /** `from` of the next step; null at the beginning of the conversation. */
  readonly next: number | null;
  /** Position and time of the newest message counted in this step; null if there was none. */
  readonly lastPosition: number | null;
  readonly lastTimestamp: number | null;
}

/** How a caller names a message: a row of its own by uid (its time saves a search), any row by id. */
export type RowKey =
  | { readonly uid: string; readonly createdAt?: number | undefined }
  | { readonly rowId: number };

export interface Place {
  readonly position: number;
  /** The row that speaks for the message. */
  readonly rowId: number;
}

export interface RowState {
  readonly rowId: number;
  /** Active, or archived by a compaction. */
  readonly visible: boolean;
}

/**
 * Reads state.db files of any version by the reader rules (a.10): read-only, short statements, nothing held open between
 * calls, nothing of the file changed. Synchronous: for a SQLite thread of the role "read". One instance serves many files.
 */
export interface StateDbReadOps {
  inspect(path: string): Answer<FileInfo>;
  /** Conversations by newest activity. Throws `invalid_request` for a cursor that is none of ours. */
  listSessions(path: string, query: ListQuery): Answer<ConversationPage>;
  /** One session of any kind; null if there is none. */
  sessionInfo(path: string, id: string): Answer<SessionInfo | null>;
  /** The chain a session belongs to (a.9); null if there is no such session. Any segment's id may be asked for. */
  segments(path: string, id: string): Answer<Segments | null>;
  /** A window of what people see (a.7, a.8), over a chain as `segments` gave it. */
  displayPage(path: string, segments: readonly string[], query: PageQuery): Answer<DisplayPage>;
  /** Rows above a cursor in any segment, for the import (c.2). */
  rowsAfter(path: string, segments: readonly string[], cursor: number, limit: number): Answer<RowsAfter>;
  /** What was added to the file above a watermark; null asks for today's watermark only. */
  changesSince(path: string, watermark: number | null, limit: number): Answer<Changes>;
  /** Whether anything changed: costs microseconds and waits for nobody. */
  dataVersion(path: string): Answer<DataVersion>;
  /** Unknown ids are left out. */
  heads(path: string, ids: readonly string[]): Answer<readonly SessionHead[]>;
  /** What a model would get: text as it was sent (`api_content`) where the file knows it. */
  modelRows(path: string, tipId: string, options?: ModelQuery): Answer<ModelRows>;
  /** How many rows paging through the whole display set would give (P13), step by step. */
  countDisplay(path: string, segments: readonly string[], query: CountQuery): Answer<CountStep>;
  /**
   * Display rows that the rows above `afterRowId` added, where that id was the chain's highest when the caller counted (0:
   * it had no rows). Null where it cannot be told cheaply, and a new count is due: that row is gone, a summary came, a row
   * is not newer than what was there, or more than 500 rows came.
   */
  countAfter(
    path: string,
    segments: readonly string[],
    afterRowId: number,
    options?: HiddenOption,
  ): Answer<number | null>;
  /** The newest display row, its text cut to a preview, without its parts. */
  lastDisplay(path: string, segments: readonly string[], options?: HiddenOption): Answer<DisplayRow | null>;
  /** Where the message of a row is displayed; also found by a copy's row id, or by that of an original that was archived. */
  locate(
    path: string,
    segments: readonly string[],
    key: RowKey,
    options?: HiddenOption,
  ): Answer<Place | null>;
  /** What the flags of rows say (c.2.4); ids without a row are left out. */
  rowStates(path: string, ids: readonly number[]): Answer<readonly RowState[]>;
  /**
   * Identities of the rows whose flags make them part of the conversation, with ids above the first and up to the second
   * of `range`: what a cut remembers (c.7). Null when there are more than `limit` rows.
   */
  identities(
    path: string,
    segments: readonly string[],
    range: readonly [number, number],
    limit: number,
  ): Answer<readonly string[] | null>;
  /** The highest row id in any of the segments; 0 without rows. */
  maxRowId(path: string, segments: readonly string[]): Answer<number>;
  /** Every conversation of the file, newest activity first: to notice renames, rewinds and deletions. */
  sessionsLight(path: string): Answer<readonly ConversationInfo[]>;
}

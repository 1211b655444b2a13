import type { StateRow } from "./rows.ts";

export type { StateRow } from "./rows.ts";

/** Rows that a person removed, or that something else stands for (c.7). */
export interface Hidden {
  /** Row ids, exclusive from, inclusive to. */
  readonly ranges: readonly (readonly [number, number])[];
  /** Identities of removed rows (`identitiesOf`): later copies of them are out as well. */
  readonly removed: readonly string[];
  /** Rows up to this id are out. */
  readonly floor: number;
}

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
export interface ConversationInfo extends Omit<SessionInfo, "endedAt" | "endReason" | "rewindCount"> {
  /** The segment that runs go to; the id itself where nothing was rotated. */
  readonly tipId: string;
  readonly segmentCount: number;
  /** The conversation that this one says it was branched from. */
  readonly forkedFrom: string | null;
}

/** A conversation with what tells that it may have changed. */
export interface ConversationLight extends ConversationInfo {
  /** Over all segments. */
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

export interface PageQuery {
  /** Position of the oldest row the caller has; without it the page is the newest one. */
  readonly before?: number | undefined;
  readonly limit: number;
  /** Texts longer than this many bytes come shortened to as many characters and marked; pictures are never cut. */
  readonly contentLimit?: number | undefined;
  readonly hidden?: Hidden | undefined;
}

export interface CountQuery {
  /** `next` of the step before; null or absent: from the end. */
  readonly from?: number | null | undefined;
  /** Messages that one step counts. */
  readonly limit: number;
  readonly hidden?: Hidden | undefined;
}

/** One step of counting what paging through a chain would give (P13). */
export interface CountStep {
  readonly count: number;
  /** Null: that was all. */
  readonly next: number | null;
  /** Time of the newest message of this step; null where it has none. */
  readonly lastTimestamp: number | null;
}

export interface Added {
  readonly count: number;
  /** Time of the newest of them; null without one. */
  readonly lastTimestamp: number | null;
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
  /** Counts a chain step by step, as paging through it would; each step costs what it counts. */
  countDisplay(path: string, segments: readonly string[], query: CountQuery): Answer<CountStep>;
  /**
   * What the rows above `after` add to what is displayed. Null where that cannot be told from them alone, and the chain has to
   * be counted again: many rows, a summary, or rows older than `newestTime`, the newest counted one (d.1.3).
   */
  countAfter(
    path: string,
    segments: readonly string[],
    after: number,
    options: { readonly hidden?: Hidden | undefined; readonly newestTime: number | null },
  ): Answer<Added | null>;
  /** The newest message, with the beginning of its text; null without one. */
  lastDisplay(
    path: string,
    segments: readonly string[],
    options?: { readonly hidden?: Hidden | undefined },
  ): Answer<DisplayRow | null>;
  /** Where a message stands, by its logical id or by any row id of it; null when it is not displayed. */
  locate(
    path: string,
    segments: readonly string[],
    key: { readonly uid: string } | { readonly rowId: number },
    options?: { readonly hidden?: Hidden | undefined },
  ): Answer<{ readonly position: number } | null>;
  /** Ids among these whose rows flags let be seen. */
  visibleIds(path: string, ids: readonly number[]): Answer<readonly number[]>;
  /** Identities of the visible rows above one id and up to another; null when there are more than `limit`. */
  identities(
    path: string,
    segments: readonly string[],
    range: readonly [number, number],
    limit: number,
  ): Answer<readonly string[] | null>;
  /** Highest row id of a chain, whoever sees it; 0 without rows. */
  maxRowId(path: string, segments: readonly string[]): Answer<number>;
  /** Every conversation, newest activity first: light columns, read once per change of the file. */
  sessionsLight(path: string): Answer<readonly ConversationLight[]>;
}

export interface ModelQuery {
  readonly maxRows?: number | undefined;
  readonly hidden?: Hidden | undefined;
  /** Rows above this id are of a later context. */
  readonly upTo?: number | undefined;
}

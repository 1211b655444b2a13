import type { ToolCall } from "../contracts/message.ts";

/** One turn of ours, as rows of a state.db. */
export interface TurnInput {
  readonly sessionId: string;
  /** Writer surface, recorded when the session row is made. */
  readonly source: string;
  readonly title: string | null;
  readonly model: string | null;
  readonly cwd: string | null;
  readonly profile: string;
  /** The session this one began as a copy of; recorded when the session row is made (a.9). */
  readonly branchedFrom?: string | undefined;
  /** The highest row id that a row of ours in this conversation had; 0 without one. A file that never gave it out is refused. */
  readonly newestOwnRow?: number | undefined;
  /** In the order of the conversation. */
  readonly rows: readonly TurnRow[];
}

export interface TurnRow {
  /** 32 hex digits, derived from the message's id, so that a repeat finds the row (see `deriveUid`). */
  readonly uid: string;
  readonly role: "user" | "assistant" | "tool";
  readonly content: string;
  readonly reasoning?: string | undefined;
  readonly toolCalls?: readonly ToolCall[] | undefined;
  /** Tool rows: the call this answers. */
  readonly toolCallId?: string | undefined;
  readonly toolName?: string | undefined;
  readonly finishReason?: string | undefined;
  /** Epoch seconds. The same in a repeat: where the file has no uids it is part of the row's identity. */
  readonly timestamp: number;
}

export type AppendTurnResult = Written<{
  /** Rows written now; 0 when all of them were there. */
  readonly inserted: number;
  /** Row id of each input row, written now or before. */
  readonly rowIds: readonly number[];
  /** What the session is called in the file. */
  readonly title: string | null;
}>;

/** What became of a write: done, or not begun and why. */
export type Written<T> = ({ readonly status: "ok" } & T) | Refused;

export interface Refused {
  readonly status: "refused";
  readonly reason: RefusalReason;
  readonly message: string;
}

/**
 * A row that we wrote. Where the file has uids the uid alone names it (and its copies that others made); elsewhere the
 * row id does.
 */
export interface OwnRow {
  readonly uid: string;
  readonly rowId: number | null;
}

export interface RewindInput {
  /** Root to tip. */
  readonly segments: readonly string[];
  /** Rows above this id and up to `cutRowId` are rewound. */
  readonly keepThrough: number;
  readonly cutRowId: number;
  readonly rows: readonly OwnRow[];
}
/** 0 where the file knows no rewinding: there only our own cut hides the rows. */
export type RewindResult = Written<{ readonly rewound: number }>;

export interface DeleteInput {
  /** Root to tip. */
  readonly segments: readonly string[];
  readonly rows: readonly OwnRow[];
  /** With it, only session rows of this writer surface may be removed. */
  readonly source?: string | undefined;
}
export type DeleteResult = Written<{
  readonly deleted: number;
  /** Segments whose session row went, too. */
  readonly sessionsRemoved: readonly string[];
}>;

export interface TitleInput {
  readonly sessionId: string;
  readonly title: string;
  /** Our writer surface: a session of another one keeps its title. */
  readonly source: string;
}
/** `title`: what the session is called there now, whoever called it so. */
export type TitleResult = Written<{ readonly changed: boolean; readonly title: string | null }>;

/** Why a file was not written to. Nothing was changed. */
export type RefusalReason =
  /** Somebody holds the write lock, or the turn of this session: try again later. */
  | "locked"
  | "leased"
  /** The conversation went on in another session: append there. */
  | "continued_elsewhere"
  /** An older copy was put back: what it lacks comes first. */
  | "older_copy"
  /** Something else lies at this path. */
  | "not_a_state_db"
  | "corrupt"
  /** No right to write, or the file needs a full-text module that is missing here. */
  | "read_only"
  | "storage_full"
  | "unavailable";

/** Reasons that pass by themselves. */
export const isTransient = (reason: RefusalReason): boolean =>
  ["locked", "leased", "older_copy", "storage_full", "unavailable"].includes(reason);

/** Synchronous: to be called inside a SQLite thread, one per file. */
export interface StateDbOps {
  /**
   * Writes the rows that are not there yet, in one transaction; repeating it changes nothing. Makes file and session
   * when they are missing; touches no row of others. Never throws for what a file can do: it answers `refused`.
   */
  appendTurn(input: TurnInput): AppendTurnResult;
  /**
   * Takes rows of ours back, as an undo does (a.7): they leave the model's history of every program. Rows of others stay;
   * a repeat, or a file that is not there, changes nothing. Refused while a turn or a compaction runs in the session.
   */
  rewindOwn(input: RewindInput): RewindResult;
  /**
   * Deletes rows of ours, and session rows that nothing is left of and no other session names as its parent. Refused like
   * a rewind, and where deleting would leave a full-text index behind.
   */
  deleteOwn(input: DeleteInput): DeleteResult;
  /** Renames a session of ours; a title that another one has gets a number. */
  setTitle(input: TitleInput): TitleResult;
  close(): void;
}

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
  /** The conversation that a new session is a branch of; no other session is touched by that. */
  readonly branchedFrom?: string | undefined;
  /** In the order of the conversation. */
  readonly rows: readonly TurnRow[];
}

export interface TurnRow {
  /** 32 hex digits, derived from run and step, so that a repeat finds the row (see `deriveUid`). */
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

/** A row that we wrote: by its uid, or in files without uids by its row id. */
export interface OwnRow {
  readonly uid: string;
  readonly rowId: number | null;
}

export type Refusal = {
  readonly status: "refused";
  readonly reason: RefusalReason;
  readonly message: string;
};

export type RewindResult = { readonly status: "ok"; readonly rewound: number } | Refusal;
export type DeleteResult =
  | { readonly status: "ok"; readonly deleted: number; readonly sessionsRemoved: number }
  | Refusal;
export type TitleResult = { readonly status: "ok"; readonly changed: boolean } | Refusal;

export type AppendTurnResult =
  | {
      readonly status: "ok";
      /** Rows written now; 0 when all of them were there. */
      readonly inserted: number;
      /** Row id of each input row, written now or before. */
      readonly rowIds: readonly number[];
    }
  | Refusal;

/** Why a turn was not written. Nothing of it was. */
export type RefusalReason =
  /** Somebody holds the write lock, or the turn of this session: try again later. */
  | "locked"
  | "leased"
  /** The conversation went on in another session: append there. */
  | "continued_elsewhere"
  /** Something else lies at this path. */
  | "not_a_state_db"
  | "corrupt"
  /** No right to write, or the file needs a full-text module that is missing here. */
  | "read_only"
  | "storage_full"
  | "unavailable";

/** Reasons that pass by themselves. */
export const isTransient = (reason: RefusalReason): boolean =>
  reason === "locked" || reason === "leased" || reason === "storage_full" || reason === "unavailable";

/** Synchronous: to be called inside a SQLite thread, one per file. */
export interface StateDbOps {
  /**
   * Writes the rows that are not there yet, in one transaction; repeating it changes nothing. Makes file and session
   * when they are missing; touches no row of others. Never throws for what a file can do: it answers `refused`.
   */
  appendTurn(input: TurnInput): AppendTurnResult;
  /**
   * Takes rows of ours out of a conversation's history (`active = 0`), those above `keepThrough` and up to `cutRowId`. Rows of
   * others stay as they are; so does everything in files that know no history. Repeating it changes nothing.
   */
  rewindOwn(cut: {
    readonly segments: readonly string[];
    readonly keepThrough: number;
    readonly cutRowId: number;
    readonly rows: readonly OwnRow[];
  }): RewindResult;
  /**
   * Deletes rows of ours, and a session that holds nothing any more and that no other one names. Rows of others stay.
   * Repeating it changes nothing.
   */
  deleteOwn(grave: { readonly segments: readonly string[]; readonly rows: readonly OwnRow[] }): DeleteResult;
  /** Renames a session whose source is `source`; a title that another session has is left to it. */
  setTitle(sessionId: string, title: string, source: string): TitleResult;
  close(): void;
}

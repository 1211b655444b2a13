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

export type AppendTurnResult =
  | {
      readonly status: "ok";
      /** Rows written now; 0 when all of them were there. */
      readonly inserted: number;
      /** Row id of each input row, written now or before. */
      readonly rowIds: readonly number[];
    }
  | { readonly status: "refused"; readonly reason: RefusalReason; readonly message: string };

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
  close(): void;
}

import type { Message, MessageStatus, ToolCall } from "../../contracts/message.ts";

/** One message of an imported transcript, as people will see it. */
export interface BaseRow {
  /** The same for the same message of the same session, however often its file is imported. */
  readonly id: string;
  /** The store row it is bound to; null: only the file has it. */
  readonly rowId: number | null;
  readonly uid: string | null;
  readonly role: Message["role"];
  readonly content: string;
  /** Only where the content holds more than text. */
  readonly parts?: Record<string, unknown>[];
  readonly reasoning?: string;
  readonly toolCalls?: ToolCall[];
  readonly toolCallId?: string;
  readonly toolName?: string;
  readonly isError?: boolean;
  readonly status: MessageStatus;
  readonly origin: string;
  /** Epoch seconds, never below 0. */
  readonly createdAt: number;
}

export interface ImportSession {
  readonly profile: string;
  /** The conversation's id in state.db (its first segment's), or the file's own where the store knows nothing of it. */
  readonly storeId: string;
  readonly title: string | null;
  readonly titleSource: "user" | null;
  readonly model: string | null;
  readonly workspace: string | null;
  readonly pinned: boolean;
  readonly archived: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Names the file's content: the same file is never imported twice. */
  readonly digest: string;
  /** Store rows up to this id are represented by `rows`; later ones come from the store. */
  readonly baseCursor: number;
  /** In the order in which they are shown. */
  readonly rows: readonly BaseRow[];
}

/** Where imported sessions are kept. */
export interface ImportTarget {
  /** What is here of a conversation; null: nothing. `digest` is that of the file it came from, null if it came from none. */
  find(
    profile: string,
    storeId: string,
  ): Promise<{ readonly digest: string | null; readonly isTouched: boolean } | null>;
  /**
   * Takes a whole session in one transaction. "unchanged": this digest is already here; "updated": an earlier import
   * that nobody has continued was replaced; "conflict": the session was changed here, and nothing was written.
   */
  importSession(input: ImportSession): Promise<"imported" | "updated" | "unchanged" | "conflict">;
}

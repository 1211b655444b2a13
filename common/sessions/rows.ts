import type { Message, MessageStatus } from "../contracts/message.ts";
import type { Session } from "../contracts/session.ts";

/** Rows of talaria.db and what they mean outside. */
export interface SessionRow {
  readonly id: string;
  readonly profile: string;
  readonly title: string | null;
  readonly title_source: Session["title_source"];
  readonly title_revision: number;
  readonly model: string | null;
  readonly workspace: string | null;
  readonly source: string;
  readonly pinned: number;
  readonly archived: number;
  readonly created_at: number;
  readonly updated_at: number;
  readonly activity_at: number;
  readonly last_message_at: number | null;
  readonly message_count: number;
  readonly revision: number;
  readonly active_run_id: string | null;
  readonly generation: number;
  readonly journal_seq: number;
  readonly next_turn: number;
  /** Id of the conversation's first segment in state.db; null: nothing of it is there. */
  readonly store_id: string | null;
  readonly store_cursor: number;
  readonly store_count: number;
  readonly store_time: number | null;
  readonly counted: number;
  readonly store_title: string | null;
  readonly store_mark: string | null;
  readonly base_cursor: number;
  readonly import_digest: string | null;
  readonly last_role: Message["role"] | null;
  readonly last_preview: string | null;
  readonly seen_count: number;
  readonly forked_from: string | null;
  /** Raised by every compression and every cut. */
  readonly context_revision: number;
  /** Turns that the system begins wait for a usable key; see migration 0009. */
  readonly wake_paused: string | null;
  /** Goes up whenever messages come to stand elsewhere; see migration 0015. */
  readonly places_revision: number;
}

export interface MessageRow {
  readonly session_id: string;
  readonly turn: number;
  readonly idx: number;
  readonly id: string;
  readonly run_id: string | null;
  readonly role: Message["role"];
  readonly content: string;
  readonly parts: string | null;
  readonly reasoning: string | null;
  readonly tool_calls: string | null;
  readonly tool_call_id: string | null;
  readonly tool_name: string | null;
  readonly is_error: number | null;
  readonly status: MessageStatus;
  readonly origin: string;
  readonly created_at: number;
  /** The row of state.db that this message is; null: none that we know. */
  readonly row_id: number | null;
  readonly uid: string | null;
  /** Place among the store's rows; null: the message is shown through its store row (places.ts). */
  readonly anchor: number | null;
  readonly source: "process" | null;
}

export const sessionFromRow = (row: SessionRow): Session => ({
  id: row.id,
  title: row.title,
  title_source: row.title_source,
  profile: row.profile,
  model: row.model,
  workspace: row.workspace,
  source: row.source,
  created_at: row.created_at,
  updated_at: row.updated_at,
  last_message_at: row.last_message_at,
  message_count: row.message_count,
  revision: row.revision,
  active_run_id: row.active_run_id,
  pinned: row.pinned !== 0,
  archived: row.archived !== 0,
  last_message: row.last_role === null ? null : { role: row.last_role, preview: row.last_preview ?? "" },
  unread_count: Math.max(0, row.message_count - row.seen_count),
  forked_from: row.forked_from,
});

/** Values of the columns that every message has, whatever brought it here. */
export const messageColumns = (message: {
  readonly role: Message["role"];
  readonly content: string;
  readonly reasoning?: string | undefined;
  readonly toolCalls?: Readonly<NonNullable<Message["tool_calls"]>> | undefined;
  readonly toolCallId?: string | undefined;
  readonly toolName?: string | undefined;
  readonly isError?: boolean | undefined;
  readonly status: MessageStatus;
}) => ({
  role: message.role,
  content: message.content,
  reasoning: message.reasoning ?? null,
  calls:
    message.toolCalls === undefined || message.toolCalls.length === 0
      ? null
      : JSON.stringify(message.toolCalls),
  call: message.toolCallId ?? null,
  tool: message.toolName ?? null,
  error: message.isError === undefined ? null : Number(message.isError),
  status: message.status,
});

export const messageFromRow = (row: MessageRow): Message => ({
  id: row.id,
  session_id: row.session_id,
  run_id: row.run_id,
  role: row.role,
  content: row.content,
  ...(row.parts === null ? {} : { parts: JSON.parse(row.parts) as Record<string, unknown>[] }),
  ...(row.reasoning === null ? {} : { reasoning: row.reasoning }),
  ...(row.tool_calls === null
    ? {}
    : { tool_calls: JSON.parse(row.tool_calls) as NonNullable<Message["tool_calls"]> }),
  ...(row.tool_call_id === null ? {} : { tool_call_id: row.tool_call_id }),
  ...(row.tool_name === null ? {} : { tool_name: row.tool_name }),
  ...(row.is_error === null ? {} : { is_error: row.is_error !== 0 }),
  status: row.status,
  ...(row.source === null ? {} : { source: row.source }),
  origin: row.origin,
  created_at: row.created_at,
});

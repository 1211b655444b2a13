import type { Message, ToolCall } from "../../contracts/message.ts";
import { PARTS_MARK, readContent } from "../../reconcile/content.ts";
import { carriedText } from "../../reconcile/display.ts";
import { parseNested } from "../../reconcile/json.ts";
import { isRow } from "../../reconcile/row.ts";

/** One row of `messages`, decoded. Optional fields are absent where the file has nothing. */
export interface StateRow {
  readonly rowId: number;
  readonly sessionId: string;
  readonly uid: string | null;
  readonly platformId: string | null;
  readonly role: string;
  /** Text for people: parts joined by line breaks, pictures as `[screenshot]`; undecodable text as it is (a.3). */
  readonly content: string;
  /** As stored, where that differs from `content`; null is SQL's NULL. */
  readonly rawContent?: string | null;
  readonly parts?: Record<string, unknown>[];
  /** Bytes of the stored text, where `content` is only its beginning. */
  readonly fullBytes?: number;
  readonly reasoning?: string;
  readonly toolCalls?: ToolCall[];
  /** As stored, for comparisons (R5). */
  readonly rawCalls?: string;
  readonly toolCallId?: string;
  readonly toolName?: string;
  readonly finishReason?: string;
  /** Exact text once sent to a model; never for a browser. */
  readonly apiContent?: string;
  /** Epoch seconds; null where the file holds no number. */
  readonly createdAt: number | null;
  readonly active: boolean;
  readonly compacted: boolean;
  readonly observed: boolean;
  readonly summary: boolean;
  /** Summary rows: the real text they carry besides the summary (a.8). */
  readonly carried?: string;
  readonly displayKind: string | null;
  readonly displayMetadata?: Record<string, unknown>;
  /** Visible by its flags and by R22. Duplicates of one message each say so for themselves. */
  readonly displayable: boolean;
}

/** A row as SQLite gave it, under the names of `MESSAGE_COLUMNS`. */
export type RawRow = Readonly<Record<string, unknown>>;

/** Decodes one row; tolerant of everything other writers left behind. */
export const decodeRow = (raw: RawRow): StateRow => {
  const stored = textOrNull(raw.content);
  const { content, parts } = decodeContent(stored);
  const role = textOrNull(raw.role) ?? "";
  const rawCalls = textOrNull(raw.tool_calls);
  const toolCalls = decodeCalls(rawCalls);
  const toolCallId = textOrNull(raw.tool_call_id);
  const displayKind = textOrNull(raw.display_kind);
  const displayMetadata = objectOf(raw.display_metadata);
  const active = raw.active === null || raw.active === undefined || Number(raw.active) === 1;
  const compacted = Number(raw.compacted ?? 0) === 1;
  const summary = isSummary(raw._compressed_summary, content);
  const carried = summary ? carriedText(content) : null;
  const says = content.trim() !== "" || toolCalls.length > 0 || (role === "tool" && toolCallId !== null);
  const displayable =
    (active || compacted) &&
    (role === "user" || role === "assistant" || role === "tool") &&
    displayKind !== "hidden" &&
    displayMetadata?.model_only !== true &&
    !summary &&
    says;
  return {
    rowId: Number(raw.id),
    sessionId: textOrNull(raw.session_id) ?? "",
    uid: filled(raw.message_uid),
    platformId: filled(raw.platform_message_id),
    role,
    content,
    ...(stored === content ? {} : { rawContent: stored }),
    ...optional("parts", parts),
    ...optional("fullBytes", typeof raw.full_bytes === "number" ? raw.full_bytes : null),
    ...optional("reasoning", filled(raw.reasoning) ?? filled(raw.reasoning_content)),
    ...optional("toolCalls", toolCalls.length > 0 ? toolCalls : null),
    ...optional("rawCalls", rawCalls),
    ...optional("toolCallId", toolCallId),
    ...optional("toolName", filled(raw.tool_name)),
    ...optional("finishReason", filled(raw.finish_reason)),
    ...optional("apiContent", filled(raw.api_content)),
    createdAt: numberOrNull(raw.timestamp),
    active,
    compacted,
    observed: Number(raw.observed ?? 0) === 1,
    summary,
    ...optional("carried", carried),
    displayKind,
    ...optional("displayMetadata", displayMetadata),
    displayable,
  };
};

/** A displayable row as the API shows it. `origin` is the source of the program that wrote its session. */
export const toMessage = (
  row: StateRow,
  { id, sessionId, origin }: { readonly id: string; readonly sessionId: string; readonly origin: string },
): Message => ({
  id,
  session_id: sessionId,
  run_id: null,
  role: row.role === "user" || row.role === "assistant" || row.role === "tool" ? row.role : "notice",
  content: row.content,
  ...optional("parts", row.parts ?? null),
  ...optional("reasoning", row.reasoning ?? null),
  ...optional("tool_calls", row.toolCalls ?? null),
  ...optional("tool_call_id", row.toolCallId ?? null),
  ...optional("tool_name", row.toolName ?? null),
  status: "complete",
  origin,
  created_at: row.createdAt ?? 0,
});

/** A row under the names that the merge compares by (session-reconciliation, case files). */
export const toMergeRow = (row: StateRow): Record<string, unknown> => ({
  _state_db_row_id: row.rowId,
  role: row.role,
  content: row.rawContent === undefined ? row.content : row.rawContent,
  timestamp: row.createdAt,
  ...optional("message_uid", row.uid),
  ...optional("platform_message_id", row.platformId),
  ...optional("tool_calls", row.rawCalls ?? null),
  ...optional("tool_call_id", row.toolCallId ?? null),
  ...optional("tool_name", row.toolName ?? null),
  ...optional("api_content", row.apiContent ?? null),
  ...optional("display_kind", row.displayKind),
  ...optional("display_metadata", row.displayMetadata ?? null),
  ...(row.summary ? { _compressed_summary: 1 } : {}),
});

/** A carrier of real text as that text's row: no summary any more, displayable if its flags let it be seen (a.8). */
export const asCarried = (row: StateRow, text: string): StateRow => {
  const { carried: _carried, parts: _parts, rawContent: _raw, apiContent: _sent, ...rest } = row;
  return { ...rest, content: text, summary: false, displayable: row.active || row.compacted };
};

const decodeContent = (
  stored: string | null,
): { readonly content: string; readonly parts: Record<string, unknown>[] | null } => {
  if (stored === null || !stored.startsWith(PARTS_MARK)) return { content: stored ?? "", parts: null };
  let value: unknown;
  try {
    value = JSON.parse(stored.slice(PARTS_MARK.length));
  } catch {
    return { content: stored, parts: null };
  }
  const list = (Array.isArray(value) ? value : [value]).filter((part) => part !== null);
  const parts = list.map((part) => (isRow(part) ? { ...part } : { type: "text", text: String(part) }));
  return { content: readContent(stored).plain, parts };
};

/** OpenAI form, whatever foreign importers made of it; text that is no list of calls becomes a call that shows it. */
const decodeCalls = (stored: string | null): ToolCall[] => {
  if (stored === null || stored.trim() === "") return [];
  const value = parseNested(stored);
  if (value === null) return [];
  if (typeof value !== "object") return [callOf("", "unknown", stored)];
  return (Array.isArray(value) ? value : Object.keys(value as object).length > 0 ? [value] : []).map(
    (call) => {
      if (!isRow(call)) return callOf("", "unknown", jsonText(call));
      const target = isRow(call.function) ? call.function : call;
      return callOf(
        textOrNull(call.id) ?? textOrNull(call.call_id) ?? "",
        textOrNull(target.name) ?? "unknown",
        jsonText(target.arguments),
      );
    },
  );
};

const callOf = (id: string, name: string, text: string): ToolCall => ({
  id,
  type: "function",
  function: { name, arguments: text },
});

const jsonText = (value: unknown): string =>
  typeof value === "string" ? value : value === undefined || value === null ? "" : JSON.stringify(value);

/** How the notes of a compaction begin: the summary, in all its wordings, and the task list it carries over (a.8). */
const SUMMARY_STARTS = [
  "[context compaction",
  "[context summary]",
  "[arc summary",
  "[your active task list was preserved across context compression]",
];

const isSummary = (flag: unknown, content: string): boolean => {
  if (Number(flag ?? 0) === 1) return true;
  const start = content.trimStart().slice(0, 80).toLowerCase();
  return SUMMARY_STARTS.some((prefix) => start.startsWith(prefix));
};

/** JSON text of an object, also encoded twice. */
const objectOf = (value: unknown): Record<string, unknown> | null => {
  const text = filled(value);
  const parsed = text === null ? null : parseNested(text);
  return isRow(parsed) ? { ...parsed } : null;
};

const textOrNull = (value: unknown): string | null => {
  if (value === null || value === undefined) return null;
  return Buffer.isBuffer(value) ? value.toString("utf8") : String(value);
};

const filled = (value: unknown): string | null => {
  const text = textOrNull(value);
  return text === null || text.trim() === "" ? null : text;
};

const numberOrNull = (value: unknown): number | null => {
  const text = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof text === "number" && Number.isFinite(text) ? text : null;
};

const optional = <K extends string, V>(key: K, value: V | null): { readonly [P in K]?: V } =>
  (value === null ? {} : { [key]: value }) as { readonly [P in K]?: V };

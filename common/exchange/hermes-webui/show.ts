import { oneLine } from "../../base/text.ts";
import { PARTS_MARK, readContent, squash } from "../../reconcile/content.ts";
import { isRow, type Row } from "../../reconcile/row.ts";
import { canonicalTime } from "../../reconcile/time.ts";
import { decodeRow, type StateRow } from "../../state-db/read/rows.ts";
import { cardText } from "./card.ts";
import type { BaseRow } from "./port.ts";

/** What a row says, without its name and its place; no time where neither side knows one. */
export type Shown = Omit<BaseRow, "id" | "rowId" | "uid" | "origin" | "createdAt"> & {
  readonly createdAt: number | null;
};

/**
 * A row of a file as people see it; null for what nobody sees: other roles, hidden rows, summaries, empty ones. Failure
 * and status cards are notices: shown, and never sent to a model. What the row lacks is taken from its pair in the store
 * (c.4); what it has stays. `isSaid` tells of a text whether another row of the file says it.
 */
export const showLocal = (
  row: Row,
  stored: StateRow | null,
  isSaid: (role: string, text: string) => boolean,
): Shown | null => {
  const decoded = decodeRow(rawOf(row));
  const role = roleOf(decoded.role);
  const createdAt = decoded.createdAt ?? stored?.createdAt ?? null;
  if (row._error === true || row._statusCard) {
    const content = decoded.content.trim() === "" ? cardText(row._statusCard) : decoded.content;
    return content === "" ? null : { role: "notice", content, status: "complete", createdAt };
  }
  if (role === null || decoded.displayKind === "hidden" || decoded.displayMetadata?.model_only === true)
    return null;
  if (decoded.summary && isSaid(role, decoded.carried ?? "")) return null;
  const text = decoded.summary ? (decoded.carried ?? "") : decoded.content;
  const content = role === "user" ? withAttachments(text, row.attachments) : text;
  const fields = fieldsOf(decoded, stored);
  const says =
    content.trim() !== "" ||
    fields.toolCalls !== undefined ||
    (role === "tool" && fields.toolCallId !== undefined);
  if (!says) return null;
  const status = row._partial === true ? "partial" : "complete";
  return { role, content, ...fields, ...(row.is_error === true ? { isError: true } : {}), status, createdAt };
};

/** Asks whether a file says a text; the file is looked through once, when it is first asked. */
export const createSaid = (rows: readonly unknown[]): ((role: string, text: string) => boolean) => {
  let said: ReadonlySet<string> | null = null;
  const key = (role: unknown, text: string): string => `${role} ${squash(text)}`;
  return (role, text) => {
    said ??= new Set(rows.filter(isRow).map((row) => key(row.role, readContent(row.content).plain)));
    return said.has(key(role, text));
  };
};

/** A row that only the store has. */
export const showStored = (row: StateRow): Shown | null => {
  const role = roleOf(row.role);
  if (role === null) return null;
  return {
    role,
    content: row.content,
    ...fieldsOf(row, null),
    status: "complete",
    createdAt: row.createdAt,
  };
};

const roleOf = (role: string): "user" | "assistant" | "tool" | null =>
  role === "user" || role === "assistant" || role === "tool" ? role : null;

const fieldsOf = (
  row: StateRow,
  pair: StateRow | null,
): Pick<Shown, "parts" | "reasoning" | "toolCalls" | "toolCallId" | "toolName"> => {
  const parts = row.parts?.some(isMoreThanText) === true ? row.parts : undefined;
  const reasoning = row.reasoning ?? pair?.reasoning;
  const toolCalls = row.toolCalls ?? pair?.toolCalls;
  const toolCallId = row.toolCallId ?? pair?.toolCallId;
  const toolName = row.toolName ?? pair?.toolName;
  return {
    ...(parts === undefined ? {} : { parts }),
    ...(reasoning === undefined ? {} : { reasoning }),
    ...(toolCalls === undefined ? {} : { toolCalls }),
    ...(toolCallId === undefined ? {} : { toolCallId }),
    ...(toolName === undefined ? {} : { toolName }),
  };
};

const isMoreThanText = (part: Record<string, unknown>): boolean => typeof part.text !== "string";

/** The row under the names and in the encodings of a store, whose reader is tolerant of everything. */
const rawOf = (row: Row): Record<string, unknown> => ({
  role: typeof row.role === "string" ? row.role : "",
  content: contentText(row.content),
  timestamp: canonicalTime(row.timestamp),
  tool_calls: jsonText(row.tool_calls),
  tool_call_id: plain(row.tool_call_id),
  tool_name: plain(row.tool_name) ?? (row.role === "tool" ? plain(row.name) : null),
  reasoning: plain(row.reasoning),
  reasoning_content: plain(row.reasoning_content),
  display_kind: plain(row.display_kind),
  display_metadata: jsonText(row.display_metadata),
  _compressed_summary: row._compressed_summary === true ? 1 : row._compressed_summary,
});

const contentText = (content: unknown): string | null => {
  if (content === null || content === undefined) return null;
  return typeof content === "string" ? content : `${PARTS_MARK}${JSON.stringify(content)}`;
};

const jsonText = (value: unknown): string | null => {
  if (value === null || value === undefined || typeof value === "string") return value ?? null;
  return JSON.stringify(value);
};

const plain = (value: unknown): string | null =>
  typeof value === "string" ? value : typeof value === "number" ? String(value) : null;

/** Names of attached files, in the words in which a model was told of them; the files themselves stay where they are. */
const withAttachments = (text: string, attachments: unknown): string => {
  if (!Array.isArray(attachments) || text.includes("[Attached files:")) return text;
  const names = attachments.map(nameOf).filter((name) => name !== "");
  if (names.length === 0) return text;
  return `${text.trimEnd()}\n\n[Attached files: ${names.join(", ")}]`.trimStart();
};

const nameOf = (attachment: unknown): string => {
  const found = isRow(attachment)
    ? [attachment.name, attachment.filename, attachment.path].find((value) => typeof value === "string")
    : attachment;
  return typeof found === "string" ? oneLine(found) : "";
};

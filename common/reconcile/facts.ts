import { readCalls } from "./calls.ts";
import { type Content, localPromptTexts, readContent, storePromptTexts } from "./content.ts";
import { stableJson } from "./json.ts";
import type { Row } from "./row.ts";
import { canonicalTime } from "./time.ts";

/** A row with everything pairing asks of it, computed once. */
export interface Facts {
  readonly row: Row;
  /** Index in the caller's list. */
  readonly index: number;
  readonly role: string;
  /** Epoch seconds; null is "no time" (R24). */
  readonly time: number | null;
  readonly uid: string | null;
  readonly rowId: string | null;
  /** `id` or `message_id`: a name space of its own on either side (R3). */
  readonly genericId: string | null;
  readonly platformId: string | null;
  readonly toolCallId: string | null;
  readonly toolName: string | null;
  readonly callIds: readonly string[];
  readonly calls: string;
  readonly text: string;
  readonly hasImage: boolean;
  /** Content exactly as written; equal only for byte-equal content (R13). */
  readonly raw: string;
  /** One key per text the row may equal; two rows with a common key agree in role, calls and content (R5, R10). */
  readonly keys: readonly string[];
}

export type Side = "sidecar" | "store";

/** Turns long texts into short names, so that keys stay small and texts are hashed once. */
export type Naming = (text: string) => string;

export const createNaming = (): Naming => {
  const names = new Map<string, string>();
  return (text) => {
    const known = names.get(text);
    if (known !== undefined) return known;
    const name = String(names.size);
    names.set(text, name);
    return name;
  };
};

/** Facts of one row; both sides of a merge must share one naming. */
export const readFacts = (row: Row, index: number, side: Side, nameOf: Naming): Facts => {
  const role = typeof row.role === "string" ? row.role : "";
  const content = readContent(row.content);
  const calls = readCalls(row.tool_calls);
  const prefix = `${nameOf(`role ${role}`)} ${nameOf(`calls ${calls.text}`)}`;
  return {
    row,
    index,
    role,
    time: canonicalTime(row.timestamp),
    uid: idText(row.message_uid),
    rowId: rowIdOf(row),
    genericId: idText(row.id) ?? idText(row.message_id),
    platformId: idText(row.platform_message_id),
    toolCallId: idText(row.tool_call_id),
    toolName: idText(row.tool_name) ?? idText(row.name),
    callIds: calls.ids,
    calls: calls.text,
    text: content.text,
    hasImage: content.hasImage,
    raw: typeof row.content === "string" ? row.content : `\u0000${stableJson(row.content ?? null)}`,
    keys: textsOf(role, content, side).map((text) => `${prefix} ${nameOf(text)}`),
  };
};

/** The store row id a row carries, under any of its names, as text. */
export const rowIdOf = (row: Row): string | null =>
  idText(row._state_db_row_id) ??
  idText(row._row_id) ??
  idText(row._db_row_id) ??
  idText(row.state_db_row_id);

/** Ids compare as text: 7 and "7" are one id (R3). */
const idText = (value: unknown): string | null => {
  if (typeof value === "string") return value.trim() === "" ? null : value.trim();
  return typeof value === "bigint" || (typeof value === "number" && Number.isFinite(value))
    ? String(value)
    : null;
};

const textsOf = (role: string, { plain, text }: Content, side: Side): readonly string[] => {
  if (role !== "user") return [text];
  return side === "store" ? storePromptTexts(plain) : localPromptTexts(plain);
};

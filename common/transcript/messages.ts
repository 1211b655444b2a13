import type { Message } from "../contracts/message.ts";
import type { MessageRow } from "../sessions/rows.ts";
import { messageFromRow } from "../sessions/rows.ts";
import type { DisplayRow } from "../state-db/read/port.ts";
import { decodeRow, type StateRow, toMessage } from "../state-db/read/rows.ts";
import { deriveUid } from "../state-db/uid.ts";

/** What the sidecar knows of store rows, by identity. */
export interface Known {
  of(row: Pick<StateRow, "uid" | "rowId">): MessageRow | undefined;
}

export const createKnown = (rows: readonly MessageRow[]): Known => {
  const byUid = new Map(rows.flatMap((row) => (row.uid === null ? [] : [[row.uid, row] as const])));
  const byRow = new Map(rows.flatMap((row) => (row.row_id === null ? [] : [[row.row_id, row] as const])));
  return {
    of: (row) => (row.uid === null ? byRow.get(row.rowId) : byUid.get(row.uid)) ?? byRow.get(row.rowId),
  };
};

/**
 * Tells which messages that are not bound yet stand among store rows already: by the uid that we gave them, or, in files
 * without uids, by what else is ours alone: role and exact time (b.2).
 */
export const createWritten = (
  rows: readonly Pick<StateRow, "uid" | "role" | "createdAt">[],
): ((message: Pick<MessageRow, "id" | "role" | "created_at">) => boolean) => {
  const uids = new Set(rows.flatMap(({ uid }) => uid ?? []));
  const times = new Set(
    rows.filter(({ uid }) => uid === null).map(({ role, createdAt }) => `${role} ${createdAt}`),
  );
  return ({ id, role, created_at }) => uids.has(deriveUid(id)) || times.has(`${role} ${created_at}`);
};

/** Of messages that are not bound yet, the one that a store row is; the same test as `createWritten`'s. */
export const createArriving = (
  pending: readonly MessageRow[],
): ((row: Pick<StateRow, "uid" | "role" | "createdAt">) => MessageRow | undefined) => {
  const byUid = new Map(pending.map((message) => [deriveUid(message.id), message]));
  const byTime = new Map(pending.map((message) => [`${message.role} ${message.created_at}`, message]));
  return ({ uid, role, createdAt }) => (uid === null ? byTime.get(`${role} ${createdAt}`) : byUid.get(uid));
};

/** A row's id for pages and addresses: of its logical id where it has one, so that it survives compaction. */
export const storeMessageId = (row: Pick<DisplayRow, "uid" | "position">): string => {
  if (row.uid === null) return `r_${row.position}`;
  if (SAFE.test(row.uid)) return `m_${row.uid}`;
  const encoded = Buffer.from(row.uid).toString("base64url");
  return encoded.length <= MAX_ENCODED ? `b_${encoded}` : `r_${row.position}`;
};

/** What such an id names; null for one that is none of them. */
export const storeKeyOf = (id: string): { readonly uid: string } | { readonly rowId: number } | null => {
  if (id.startsWith("m_")) return { uid: id.slice(2) };
  if (id.startsWith("b_")) return { uid: Buffer.from(id.slice(2), "base64url").toString() };
  const row = /^r_(\d{1,15})$/.exec(id)?.[1];
  return row === undefined ? null : { rowId: Number(row) };
};

/** Ids of messages have at most 200 characters. */
const MAX_ENCODED = 198;
const SAFE = /^[A-Za-z0-9_-]{1,64}$/;

/** A store row as people see it: its text is the store's, what we know beside it is ours (c.4). */
export const displayed = (
  row: DisplayRow,
  {
    sessionId,
    origin,
    known,
  }: { readonly sessionId: string; readonly origin: string; readonly known: MessageRow | undefined },
): Message => {
  const shown = toMessage(row, { id: known?.id ?? storeMessageId(row), sessionId, origin });
  const whole = row.fullBytes === undefined ? shown : { ...shown, full_bytes: row.fullBytes };
  if (known === undefined) return whole;
  const ours = messageFromRow(known);
  return {
    ...whole,
    run_id: ours.run_id,
    status: ours.status,
    origin: ours.origin,
    ...(ours.source === undefined ? {} : { source: ours.source }),
    ...(ours.parts === undefined ? {} : { parts: ours.parts }),
    ...(ours.reasoning === undefined ? {} : { reasoning: ours.reasoning }),
    ...(ours.is_error === undefined ? {} : { is_error: ours.is_error }),
  };
};

/**
 * True for what state.db takes of a turn of ours and shows again. The rest stays here alone: notices, and messages that its
 * readers leave out (R22), such as an answer that was stopped before its first word.
 */
export const isForStore = (
  message: Pick<Message, "role" | "content" | "tool_calls" | "tool_call_id">,
): boolean =>
  message.role !== "notice" &&
  decodeRow({
    role: message.role,
    content: message.content,
    tool_calls: message.tool_calls === undefined ? null : JSON.stringify(message.tool_calls),
    tool_call_id: message.tool_call_id ?? null,
  }).displayable;

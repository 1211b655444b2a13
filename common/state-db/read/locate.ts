import { identitiesOf } from "../../reconcile/identity.ts";
import { rowsByIds, visibleRows } from "./fetch.ts";
import type { ReadFile } from "./file.ts";
import { isInSpans, isRemoved, openSpans } from "./hidden.ts";
import { settle } from "./page.ts";
import type { Hidden } from "./port.ts";
import { toMergeRow } from "./rows.ts";

/** Bytes of a text that tell a summary from a message. */
const LIGHT_BYTES = 2_048;
const CHUNK = 900;

/** Where a message stands: the position of its first visible row. Reads the session's index range at most. */
export const locate = (
  file: ReadFile,
  segments: readonly string[],
  key: { readonly uid: string } | { readonly rowId: number },
  hidden: Hidden | undefined,
): { readonly position: number } | null => {
  const spans = openSpans(hidden);
  const removed = isRemoved(hidden);
  const candidates = ("uid" in key ? idsOfUid(file, segments, key.uid) : [key.rowId]).filter((id) =>
    isInSpans(spans, id),
  );
  const rows = rowsByIds(file, candidates, { contentLimit: LIGHT_BYTES, visibleOnly: true });
  for (const [at, segment] of segments.entries()) {
    const here = rows.filter(({ sessionId }) => sessionId === segment);
    const shown = settle(file, segments, at, here, LIGHT_BYTES).find((row) => !removed(row));
    if (shown !== undefined) return { position: shown.position };
  }
  return null;
};

const idsOfUid = (file: ReadFile, segments: readonly string[], uid: string): number[] => {
  if (!file.shape().messages.has("message_uid")) return [];
  const sql = "SELECT id FROM messages WHERE session_id = ? AND message_uid = ? ORDER BY id LIMIT 100";
  return segments.flatMap((segment) => file.prepare(sql).pluck().all(segment, uid) as number[]);
};

/** Ids among these whose rows flags let be seen. */
export const visibleIds = (file: ReadFile, ids: readonly number[]): readonly number[] => {
  const found: number[] = [];
  for (let from = 0; from < ids.length; from += CHUNK) {
    const rows = rowsByIds(file, ids.slice(from, from + CHUNK), { contentLimit: 1, visibleOnly: true });
    found.push(...rows.map(({ rowId }) => rowId));
  }
  return found;
};

/** Identities of visible rows above one id and up to another; null when there are more than `limit`. */
export const identitiesIn = (
  file: ReadFile,
  segments: readonly string[],
  [above, upTo]: readonly [number, number],
  limit: number,
): readonly string[] | null => {
  const found: string[] = [];
  let left = limit;
  for (const segment of segments) {
    const rows = visibleRows(file, segment, {
      ...{ below: upTo + 1, floor: above, limit: left + 1 },
      contentLimit: Number.MAX_SAFE_INTEGER,
    });
    left -= rows.length;
    if (left < 0) return null;
    for (const row of rows) found.push(...identitiesOf(toMergeRow(row)));
  }
  return found;
};

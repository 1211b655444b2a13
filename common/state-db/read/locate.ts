import { findDuplicates } from "./duplicates.ts";
import { rowsByIds } from "./fetch.ts";
import type { ReadFile } from "./file.ts";
import { createHiddenRows } from "./hidden.ts";
import type { HiddenOption, Place, RowKey } from "./port.ts";
import { settleRows } from "./settle.ts";

const GLANCE = 256;
/** Seconds around a row's time; the times of one batch are spread a little. */
const NEAR = 1;

/** Where the message of a row is displayed; null if it is not. */
export const locateRow = (
  file: ReadFile,
  segments: readonly string[],
  key: RowKey,
  { hidden: removed }: HiddenOption = {},
): Place | null => {
  const rowId = "uid" in key ? idOfUid(file, segments, key.uid, key.createdAt) : key.rowId;
  const [row] = rowId === null ? [] : rowsByIds(file, [rowId], { contentLimit: GLANCE });
  const at = row === undefined ? -1 : segments.indexOf(row.sessionId);
  if (row === undefined || at < 0) return null;
  const standing = findDuplicates(file, segments, at, [row]).standing(row);
  if (standing === null) return null;
  const oldest = rowsByIds(file, [standing.id], { contentLimit: GLANCE, visibleOnly: true });
  const options = { contentLimit: GLANCE, hidden: createHiddenRows(removed) };
  const [shown] = settleRows(file, segments, standing.at, oldest, options);
  return shown === undefined ? null : { position: shown.position, rowId: shown.rowId };
};

/** No layout has an index of uids: by the time where it is known, else by a walk through the segments. */
const idOfUid = (
  file: ReadFile,
  segments: readonly string[],
  uid: string,
  createdAt: number | undefined,
): number | null => {
  const { messages, indexes } = file.shape();
  if (!messages.has("message_uid")) return null;
  const find = (clause: string, condition: string, ...bounds: readonly number[]): number | null => {
    const sql = `SELECT MAX(id) FROM messages ${clause} WHERE session_id = ? ${condition} AND message_uid = ?`;
    for (const id of segments.toReversed()) {
      const found = file
        .prepare(sql)
        .pluck()
        .get(id, ...bounds, uid);
      if (typeof found === "number") return found;
    }
    return null;
  };
  const { bySessionTime } = indexes;
  const near =
    createdAt === undefined || bySessionTime === null
      ? null
      : find(bySessionTime, "AND timestamp BETWEEN ? AND ?", createdAt - NEAR, createdAt + NEAR);
  return near ?? find("", "");
};

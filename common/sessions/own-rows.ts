import type { OwnRow } from "./cut-ops.ts";
import type { OwnMessage } from "./place-ops.ts";

/**
 * The rows of state.db that are ours among what messages stand for: turns and copies carry a uid that is made from the
 * message's id (`uidOf`), imported ones the row of whoever wrote it.
 */
export const ownRowsOf = (
  messages: readonly OwnMessage[],
  uidOf: (messageId: string) => string,
): readonly OwnRow[] =>
  messages
    .filter(({ id, uid, row_id }) => (uid === null ? row_id === null : uid === uidOf(id)))
    .map(({ id, row_id }) => ({ uid: uidOf(id), rowId: row_id }));

import type { StoreSight } from "../transcript/sight.ts";
import { valueIn } from "../transcript/store.ts";
import type { MirrorDeps } from "./deps.ts";

/**
 * Imported messages follow the rows that they stand for (session-reconciliation c.2.4): one whose row was rewound, or archived
 * for a copy, is shown no more, and again when its row is. Answers by how many messages more are shown; an unreadable file
 * changes nothing.
 */
export const followBase = async (
  { read, write, stores }: Pick<MirrorDeps, "read" | "write" | "stores">,
  sessionId: string,
  { path }: StoreSight,
): Promise<number> => {
  const rows = await read.boundBase(sessionId);
  if (rows.length === 0) return 0;
  const states = valueIn(
    await stores.call.rowStates(
      path,
      rows.map(({ row_id }) => row_id),
    ),
  );
  if (states === null) return 0;
  const visible = new Set(states.filter((state) => state.visible).map(({ rowId }) => rowId));
  const hide = rows.filter((row) => row.shown === 1 && !visible.has(row.row_id)).map(({ id }) => id);
  const show = rows.filter((row) => row.shown === 0 && visible.has(row.row_id)).map(({ id }) => id);
  if (hide.length + show.length > 0) await write.moveBase(sessionId, { hide, show });
  return show.length - hide.length;
};

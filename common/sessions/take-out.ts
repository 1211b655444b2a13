import type Database from "better-sqlite3";
import type { Clock } from "../base/clock.ts";
import type { OwnRow } from "./cut-ops.ts";

/**
 * Rows that were written into state.db while a person took their messages away or deleted the session: they leave the store's
 * history, too. Part of the transaction that finds out.
 */
export const createTakeOut = (
  db: Database.Database,
  now: Clock,
): ((sessionId: string, rows: readonly OwnRow[]) => void) => {
  const cutAgain = db.prepare(
    `insert into cuts (session_id, kind, keep_through, cut_row_id, removed, own, done, at)
     select id, 'undo', 0, 0, '[]', @own, 0, @at from sessions where id = @id`,
  );
  const deleteAgain = db.prepare(
    "update tombstones set own = @own, done = 0 where session_id = @id and hidden = 0",
  );
  return (sessionId, rows) => {
    if (rows.length === 0) return;
    const own = JSON.stringify(rows.map(({ rowId, uid }) => ({ rowId, uid })));
    cutAgain.run({ id: sessionId, own, at: now() });
    deleteAgain.run({ id: sessionId, own });
  };
};

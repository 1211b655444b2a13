import type Database from "better-sqlite3";
import type { Clock } from "../base/clock.ts";

type LateRow = { readonly rowId: number; readonly uid: string };

/** Rows that were written while a person took their messages away or deleted the session: they leave the store, too. */
export const createLateRows = (db: Database.Database, now: Clock) => {
  const cutAgain = db.prepare(
    `insert into cuts (session_id, kind, keep_through, cut_row_id, removed, own, done, at)
     select id, 'undo', 0, 0, '[]', @own, 0, @at from sessions where id = @id`,
  );
  const deleteAgain = db.prepare(
    `update tombstones set store_id = coalesce(store_id, @storeId), done = 0, own =
       (select json_group_array(json(value)) from (select value from json_each(own) union all
          select value from json_each(@own)))
     where session_id = @id and hidden = 0`,
  );
  return (sessionId: string, storeId: string, rows: readonly LateRow[]): void => {
    if (rows.length === 0) return;
    const own = JSON.stringify(rows.map(({ rowId, uid }) => ({ uid, rowId })));
    cutAgain.run({ id: sessionId, own, at: now() });
    deleteAgain.run({ id: sessionId, storeId, own });
  };
};

import type Database from "better-sqlite3";
import { PENDING, WRITTEN_SQL } from "./places.ts";

/** What is done when a profile's state.db is another one, or usable again; run inside the store's threads. */
export const createReplacedOps = (db: Database.Database) => {
  const rebind = db.prepare<[string]>(
    "update sessions set store_cursor = 0, counted = 0, store_mark = null where profile = ? and store_id is not null",
  );
  const unbind = db.prepare<[string]>(
    `update messages as m set row_id = null, anchor = case when run_id is null then 0 else ${PENDING} end
     from sessions s where s.id = m.session_id and s.profile = ? and ${WRITTEN_SQL}`,
  );
  const copyAgain = db.prepare<[string]>(
    `insert or ignore into outbox (kind, session_id, run_id, due_at)
     select 'copy', s.id, s.id, 0 from sessions s where s.profile = ? and s.base_cursor = 0
       and exists (select 1 from messages m where m.session_id = s.id and m.turn = 0)`,
  );
  const writeAgain = db.prepare<[string]>(
    // In the order of the turns: each one waits for those before it.
    `insert or ignore into outbox (kind, session_id, run_id, due_at)
     select 'sync', r.session_id, r.id, 0 from runs r join sessions s on s.id = r.session_id
     where s.profile = ? and r.ended_at is not null order by r.turn`,
  );
  const rangesEnd = db.prepare<[string, string | null]>(
    `update cuts set file = 'replaced' where session_id in (select id from sessions where profile = ?) and file = ?`,
  );
  const cutAgain = db.prepare<[string]>(
    `update cuts set done = 0 where own <> '[]' and session_id in (select id from sessions where profile = ?)`,
  );
  const unplace = db.prepare<[string], { session_id: string; run_id: string }>(
    `update messages as m set anchor = ${PENDING} from sessions s
     where s.id = m.session_id and s.profile = ? and m.run_id is not null and m.anchor < ${PENDING}
       and exists (select 1 from messages t where t.session_id = m.session_id and t.turn = m.turn and t.role <> 'notice'
         and t.anchor is not null)
       and not exists (select 1 from messages o where o.session_id = m.session_id and o.turn >= m.turn
         and o.row_id is not null)
     returning session_id, run_id`,
  );
  const owe = db.prepare<[string, string]>(
    "insert or ignore into outbox (kind, session_id, run_id, due_at) values ('sync', ?, ?, 0)",
  );

  return {
    /**
     * Another file lies at the profile's path: row ids mean nothing any more; identities do (c.4). Our turns and copies are
     * brought into it once more, which changes nothing where they are, and our removed rows are taken out of it. `sameFile`:
     * the new content has device and inode of the old one.
     */
    storeReplaced(profile: string, sameFile: string | null): void {
      rangesEnd.run(profile, sameFile);
      rebind.run(profile);
      unbind.run(profile);
      copyAgain.run(profile);
      writeAgain.run(profile);
      cutAgain.run(profile);
    },

    /**
     * The file can be used again: turns that it did not take are offered once more, where no later one of their session is in
     * it already, so that the order of writing stays the order.
     */
    storeBack(profile: string): void {
      for (const { session_id, run_id } of unplace.all(profile)) owe.run(session_id, run_id);
    },
  };
};

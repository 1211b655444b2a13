import { createHash } from "node:crypto";
import type Database from "better-sqlite3";
import { IdSchema } from "../contracts/ids.ts";

/**
 * The id of a new session for a conversation of state.db: its own, unless our addresses cannot carry that or another
 * profile's session has it (a.1: ids repeat between profiles). The same conversation always gets the same one.
 */
export const createFreeId = (db: Database.Database): ((profile: string, storeId: string) => string) => {
  const session = db.prepare<[string]>("select 1 from sessions where id = ?");
  const grave = db.prepare<[string], { profile: string }>(
    "select profile from tombstones where session_id = ?",
  );
  return (profile, storeId) => {
    if (IdSchema.safeParse(storeId).success && session.get(storeId) === undefined) {
      const buried = grave.get(storeId);
      if (buried === undefined || buried.profile === profile) return storeId;
    }
    const hash = createHash("sha256")
      .update(JSON.stringify([profile, storeId]))
      .digest("hex");
    return `st_${hash.slice(0, 32)}`;
  };
};

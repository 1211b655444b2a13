import type Database from "better-sqlite3";

/** A login that a cookie stands for, by the hash of the cookie (security-contract 4). Times are epoch milliseconds. */
export interface LoginRecord {
  readonly hash: string;
  readonly proof: string;
  readonly createdAtMs: number;
  readonly seenAtMs: number;
}

export const createLoginWriteOps = (db: Database.Database) => {
  const put = db.prepare<[string, string, number, number]>(
    "insert or replace into logins (hash, proof, created_at_ms, seen_at_ms) values (?, ?, ?, ?)",
  );
  const touch = db.prepare<[number, string]>("update logins set seen_at_ms = ? where hash = ?");
  const drop = db.prepare<[string]>("delete from logins where hash = ?");
  const expire = db.prepare<[number, number]>("delete from logins where created_at_ms < ? or seen_at_ms < ?");
  const forget = db.prepare<[number, number, number]>(
    "delete from logins where hash in (select hash from logins where created_at_ms < ? or seen_at_ms < ? limit ?)",
  );
  return {
    /** Forgets at most `limit` logins that were made, or last seen, before these times. */
    forgetLogins: (createdBeforeMs: number, seenBeforeMs: number, limit: number): number =>
      forget.run(createdBeforeMs, seenBeforeMs, limit).changes,
    addLogin(login: LoginRecord, createdBeforeMs: number, seenBeforeMs: number): void {
      expire.run(createdBeforeMs, seenBeforeMs);
      put.run(login.hash, login.proof, login.createdAtMs, login.seenAtMs);
    },
    touchLogin: (hash: string, seenAtMs: number): void => {
      touch.run(seenAtMs, hash);
    },
    removeLogin: (hash: string): void => {
      drop.run(hash);
    },
  };
};

export const createLoginReadOps = (db: Database.Database) => {
  const get = db.prepare<[string], LoginRecord>(
    `select hash, proof, created_at_ms as createdAtMs, seen_at_ms as seenAtMs from logins where hash = ?`,
  );
  return { getLogin: (hash: string): LoginRecord | null => get.get(hash) ?? null };
};

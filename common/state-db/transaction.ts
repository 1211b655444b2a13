import type Database from "better-sqlite3";
import type { OpenStateDb } from "./open.ts";
import { waitForLock } from "./refusal.ts";

/** Runs `work` under the write lock: all of it is durable, or nothing of it happened. */
export const inTransaction = <T>({ db }: OpenStateDb, limitMs: number, work: () => T): T => {
  waitForLock(limitMs, () => db.exec("BEGIN IMMEDIATE"));
  try {
    const result = work();
    db.exec("COMMIT");
    return result;
  } catch (error) {
    if (db.inTransaction) db.exec("ROLLBACK");
    throw error;
  }
};

const statements = new WeakMap<Database.Database, Map<string, Database.Statement>>();

/** The statement of a text on this connection; the texts are few, one per set of columns. */
export const prepared = <Bind extends unknown[] | object = unknown[], Row = unknown>(
  db: Database.Database,
  sql: string,
): Database.Statement<Bind, Row> => {
  const known = statements.get(db) ?? new Map<string, Database.Statement>();
  statements.set(db, known);
  const statement = known.get(sql) ?? db.prepare(sql);
  known.set(sql, statement);
  return statement as Database.Statement<Bind, Row>;
};

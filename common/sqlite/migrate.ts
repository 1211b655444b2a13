import { readdirSync, readFileSync } from "node:fs";
import type Database from "better-sqlite3";

/**
 * Applies the numbered `.sql` files of a folder (`0001-name.sql` …) that the file does not have yet: forward only, one
 * transaction each, safe when several processes start together. Throws when the file is newer than this program.
 */
export const migrate = (db: Database.Database, folder: URL): void => {
  const files = readdirSync(folder)
    .filter((name) => /^\d{4}-.+\.sql$/.test(name))
    .sort();
  const latest = Number(files.at(-1)?.slice(0, 4) ?? 0);
  const current = (): number => db.pragma("user_version", { simple: true }) as number;
  if (current() > latest) {
    throw new Error(
      `the database has schema ${current()}, this program knows ${latest}: start a newer version`,
    );
  }
  for (const name of files) {
    const version = Number(name.slice(0, 4));
    if (current() >= version) continue;
    db.transaction(() => {
      // Read again under the lock: another process may have been faster.
      if (current() >= version) return;
      db.exec(readFileSync(new URL(name, folder), "utf8"));
      db.pragma(`user_version = ${version}`);
    }).immediate();
  }
};

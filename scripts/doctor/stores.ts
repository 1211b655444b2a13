import { existsSync } from "node:fs";
import { access, constants, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { messageOf } from "../../common/base/errors.ts";
import { type Finding, fail, isAtLeast, ok, warn } from "./finding.ts";

/** The version in which SQLite stopped losing data when a write-ahead log is reset. */
const SAFE_SQLITE = "3.51.3";

export const checkSqlite = (): Finding => {
  const db = new Database(":memory:");
  try {
    const version = db.prepare<[], string>("SELECT sqlite_version()").pluck().get() ?? "?";
    return isAtLeast(version, SAFE_SQLITE)
      ? ok("SQLite", `version ${version}`)
      : fail("SQLite", `version ${version} can damage a database; ${SAFE_SQLITE} or newer is needed`);
  } finally {
    db.close();
  }
};

/** A home that does not exist yet is fine where it can be made. */
export const checkHome = async (home: string): Promise<Finding> => {
  let folder = home;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  try {
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return (await stat(folder)).isDirectory()
      ? ok("Home", folder === home ? `${home} can be written` : `${home} will be made by the first start`)
      : fail("Home", `${folder} is not a folder`);
  } catch {
    return fail("Home", `${folder} cannot be written by this user`);
  }
};

/** SQLite's own quick check, read-only; null for a file that does not exist yet. */
export const checkDatabase = (path: string): Finding | null => {
  if (!existsSync(path)) return null;
  try {
    const db = new Database(path, { readonly: true, timeout: 5000 });
    try {
      const answer = db.prepare<[], string>("PRAGMA quick_check(1)").pluck().get();
      return answer === "ok"
        ? ok("Database", `${path} is sound`)
        : fail("Database", `${path} is damaged: ${answer}`);
    } finally {
      db.close();
    }
  } catch (error) {
    return fail("Database", `${path} cannot be checked: ${messageOf(error)}`);
  }
};

/** Keys lie in `.env`: nobody else on the machine should read it. */
export const checkEnvMode = async (folder: string): Promise<Finding | null> => {
  const path = join(folder, ".env");
  const mode = await stat(path).then(
    (found) => found.mode & 0o077,
    () => 0,
  );
  return mode === 0 ? null : warn("Keys", `${path} can be read by others: chmod 600`);
};

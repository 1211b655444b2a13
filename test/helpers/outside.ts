import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { PYTHON } from "../common/state-db/read-files.ts";

const TOOL = join(process.cwd(), "test", "tools", "make-state-db.py");

/** A row of state.db as a person or a model may see it. */
export interface StoredRow {
  readonly id: number;
  readonly role: string;
  readonly content: string;
  readonly uid: string | null;
  readonly active: number;
}

/** Another program that writes to a state.db, in a process of its own. */
export interface Outside {
  /** Ids of the rows it has committed so far. */
  readonly ids: readonly number[];
  /** Resolves with them when it is done; rejects when it fails. */
  readonly ended: Promise<readonly number[]>;
  /** Resolves with its first line. */
  readonly begun: Promise<unknown>;
}

/** Starts the independent writer with one action; `--patience` bounds its wait for the lock. */
export const startOutside = (path: string, ...action: readonly string[]): Outside => {
  const child = spawn(PYTHON, [TOOL, path, ...action], { stdio: ["ignore", "pipe", "pipe"] });
  const ids: number[] = [];
  let rest = "";
  let said = "";
  const begun = once(child.stdout, "data");
  child.stdout.on("data", (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) ids.push(...((JSON.parse(line) as { ids?: number[] }).ids ?? []));
  });
  child.stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  const ended = once(child, "close").then(([code]) => {
    if (code !== 0) throw new Error(`the other writer ended with ${code}: ${rest}${said}`);
    return ids;
  });
  ended.catch(() => {});
  begun.catch(() => {});
  return { ids, ended, begun };
};

/** Another program appends `count` rows, user and assistant in turn; resolves with their ids. */
export const appendOutside = (
  path: string,
  sessionId: string,
  count: number,
  ...more: readonly string[]
): Promise<readonly number[]> =>
  startOutside(
    path,
    "--append",
    sessionId,
    String(count),
    "--tool-ratio",
    "0",
    "--multimodal",
    "0",
    "--now",
    ...more,
  ).ended;

/** Runs `work` on a read-only connection of its own. */
export const readDb = <T>(path: string, work: (db: Database.Database) => T): T => {
  const db = new Database(path, { readonly: true, fileMustExist: true });
  try {
    return work(db);
  } finally {
    db.close();
  }
};

/** Rows of one session by id: read without any code of the product. None while the file is being made. */
export const rowsOf = (path: string, sessionId: string): readonly StoredRow[] => {
  if (!existsSync(path)) return [];
  return readDb(path, (db) => {
    if (db.prepare("select 1 from sqlite_master where name = 'messages'").get() === undefined) return [];
    return db
      .prepare<[string], StoredRow>(
        `select id, role, coalesce(content, '') as content, message_uid as uid, coalesce(active, 1) as active
         from messages where session_id = ? order by id`,
      )
      .all(sessionId);
  });
};

/** Holds a lock of a database until `end`: the writers of others wait. */
export const holdLock = (path: string, begin: "immediate" | "exclusive" = "immediate"): { end(): void } => {
  const db = new Database(path, { timeout: 10_000 });
  db.exec(`begin ${begin}`);
  return {
    end() {
      if (!db.open) return;
      db.exec("rollback");
      db.close();
    },
  };
};

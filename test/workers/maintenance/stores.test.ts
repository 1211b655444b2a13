import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import Database from "better-sqlite3";
import { removeLeftovers } from "../../../common/profiles/leftovers.ts";
import { databasesTask } from "../../../workers/maintenance/databases.ts";
import { expireTask } from "../../../workers/maintenance/expire.ts";
import { withTalariaDb } from "../../helpers/talaria-db.ts";
import { pass } from "./harness.ts";

const DAY_S = 86_400;

const inFolder = async (work: (folder: string) => Promise<void>): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), "talaria-upkeep-"));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

describe("what expires", () => {
  test("idempotency keys after 48 hours, ended jobs and told processes after a week, logins as the login says; nothing before that", () =>
    withTalariaDb(async (db, path) => {
      const { id } = (await db.sessions.create({ profile: "default" })).session;
      const now = Date.now() / 1000;
      const file = new Database(path);
      const key = file.prepare(
        "insert into idempotency_keys (session_id, key, body_hash, run_id, created_at) values (?, ?, 'h', 'r', ?)",
      );
      const job = file.prepare(
        `insert into jobs (id, kind, session_id, profile, input, input_revision, state, created_at, ended_at)
         values (?, 'title', ?, 'default', 'first', 0, ?, ?, ?)`,
      );
      const process = file.prepare(
        `insert into processes (id, session_id, profile, run_id, command, worker, state, notify, started_at, seen_at, ended_at, completion)
         values (?, ?, 'default', 'r', 'c', 'w', 'ended', 1, 0, 0, ?, ?)`,
      );
      file.transaction(() => {
        for (let n = 0; n < 1_234; n++) key.run(id, `old-${n}`, now - 2 * DAY_S - 10);
        key.run(id, "young", now - 2 * DAY_S + 60);
        for (let n = 0; n < 777; n++) job.run(`old-${n}`, id, "done", now - 9 * DAY_S, now - 7 * DAY_S - 10);
        job.run("young", id, "failed", now - 9 * DAY_S, now - 7 * DAY_S + 60);
        job.run("open", id, "queued", now - 30 * DAY_S, null);
        process.run("old", id, now - 7 * DAY_S - 10, "told");
        process.run("young", id, now - 7 * DAY_S + 60, "told");
        process.run("untold", id, now - 30 * DAY_S, "pending");
        process.run("running", id, null, "none");
      })();
      const login = file.prepare(
        "insert into logins (hash, proof, created_at_ms, seen_at_ms) values (?, 'p', ?, ?)",
      );
      const ms = (days: number): number => Math.round((now - days * DAY_S) * 1000);
      login.run("idle", ms(8), ms(7.1));
      login.run("old", ms(30.1), ms(0));
      login.run("used", ms(29), ms(6.9));
      const left = (column: string, table: string): unknown[] =>
        file.prepare(`select ${column} from ${table} order by 1`).pluck().all();

      expect(await pass(expireTask({ write: db.write }))).toEqual({
        ...{ done: 1_234 + 777 + 1 + 2, more: { keys: 1_234, jobs: 777, processes: 1, logins: 2 } },
      });
      expect(left("key", "idempotency_keys")).toEqual(["young"]);
      expect(left("id", "jobs")).toEqual(["open", "young"]);
      expect(left("id", "processes")).toEqual(["running", "untold", "young"]);
      expect(left("hash", "logins")).toEqual(["used"]);
      // One whose time is over is no answer, removed or not.
      key.run(id, "stale", now - 2 * DAY_S - 10);
      expect(await db.read.replayOf(id, "stale", "other")).toBeNull();
      file.close();
    }));

  test("a pass that is over leaves the rest to the next one", () =>
    withTalariaDb(async (db, path) => {
      const { id } = (await db.sessions.create({ profile: "default" })).session;
      const file = new Database(path);
      const key = file.prepare(
        "insert into idempotency_keys (session_id, key, body_hash, run_id, created_at) values (?, ?, 'h', 'r', 0)",
      );
      file.transaction(() => {
        for (let n = 0; n < 1_200; n++) key.run(id, `${n}`);
      })();
      file.close();
      const task = expireTask({ write: db.write });
      expect((await pass(task, null, { isOver: () => true })).done).toBe(500);
      expect((await pass(task)).done).toBe(700);
    }));
});

describe("upkeep of databases", () => {
  test("statistics are there, a file made for it gives its free pages back, and what it holds stays", () =>
    inFolder(async (folder) => {
      const path = join(folder, "some.db");
      const db = new Database(path);
      db.pragma("auto_vacuum = INCREMENTAL");
      db.pragma("journal_mode = WAL");
      db.exec("create table t (id integer primary key, a text, b text); create index t_a on t (a)");
      const put = db.prepare("insert into t (a, b) values (?, ?)");
      db.transaction(() => {
        for (let n = 0; n < 5_000; n++) put.run(`a${n % 10}`, "x".repeat(500));
      })();
      db.exec("delete from t where id > 1000");
      const free = Number(db.pragma("freelist_count", { simple: true }));
      expect(free).toBeGreaterThan(100);
      const { done, more } = await pass(databasesTask({ paths: { some: path } }));
      expect(done).toBe(1);
      expect(more).toMatchObject({ some: { freedPages: expect.any(Number), walBytes: expect.any(Number) } });
      expect(Number(db.pragma("freelist_count", { simple: true }))).toBeLessThan(free);
      expect(db.prepare("select count(*) from t").pluck().get()).toBe(1_000);
      expect(db.prepare("select idx from sqlite_stat1 where tbl = 't'").pluck().all()).toContain("t_a");
      db.close();
    }));

  test("a file that is no database has failed", () =>
    inFolder(async (folder) => {
      const path = join(folder, "broken.db");
      await writeFile(path, "not a database ".repeat(1_000));
      await expect(pass(databasesTask({ paths: { broken: path } }))).rejects.toThrow();
    }));
});

describe("what interrupted edits and deletions of profiles left", () => {
  test("old folders on their way out and temporary files go; young ones, and everything else, stay", () =>
    inFolder(async (home) => {
      const profile = join(home, "profiles", "blue");
      const lock = join(home, "talaria", "profiles.lock");
      await mkdir(profile, { recursive: true });
      const left = [
        join(home, "profiles", ".trash-0011223344556677"),
        join(home, "profiles", ".new-0011223344556677"),
      ];
      for (const folder of left) {
        await mkdir(folder);
        await writeFile(join(folder, ".env"), "KEY=old");
      }
      const files = [
        join(home, "..env.0011223344556677.tmp"),
        join(profile, ".config.yaml.0011223344556677.tmp"),
      ];
      for (const file of files) await writeFile(file, "KEY=old");
      const kept = [join(home, ".env"), join(profile, "config.yaml"), join(profile, ".notes.tmp")];
      for (const file of kept) await writeFile(file, "kept");

      expect(await removeLeftovers(home, lock, 24 * 3_600_000)).toBe(0);
      expect([...left, ...files].every(existsSync)).toBe(true);
      expect(await removeLeftovers(home, lock, -1_000)).toBe(4);
      expect([...left, ...files].some(existsSync)).toBe(false);
      expect([...kept, profile].every(existsSync)).toBe(true);
    }));
});

import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import Database from "better-sqlite3";
import { createStateDbReadOps } from "../../../common/state-db/read/module.ts";
import type { StateDbReadOps } from "../../../common/state-db/read/port.ts";
import {
  alter,
  bytesOf,
  describeFile,
  make,
  mustRead,
  mutate,
  newPath,
  PYTHON,
  pythonBeside,
  pythonHolding,
  readAll,
  withOps,
} from "./read-files.ts";

const small = (...options: string[]): { readonly path: string; readonly id: string } => {
  const path = make("--sessions", "2", "--messages", "10", ...options);
  return { path, id: describeFile(path).sessions[0]?.id ?? "" };
};

/** Every operation once; answers their states. */
const everything = (ops: StateDbReadOps, path: string, id: string): readonly string[] => [
  ops.inspect(path).state,
  ops.listSessions(path, { limit: 10 }).state,
  ops.sessionInfo(path, id).state,
  ops.segments(path, id).state,
  ops.displayPage(path, [id], { limit: 10 }).state,
  ops.rowsAfter(path, [id], 0, 10).state,
  ops.changesSince(path, 0, 10).state,
  ops.dataVersion(path).state,
  ops.heads(path, [id]).state,
  ops.modelRows(path, id).state,
];

describe("a file that cannot be read has a named state, whatever is asked of it", () => {
  test("nothing there; a folder that is missing; a folder in its place", () => {
    const missing = newPath();
    mkdirSync(join(missing, "..", "folder.db"));
    withOps((ops) => {
      expect(new Set(everything(ops, missing, "x"))).toEqual(new Set(["missing"]));
      expect(ops.inspect(join(missing, "..", "no", "state.db")).state).toBe("missing");
      expect(ops.inspect(join(missing, "..", "folder.db")).state).toBe("unavailable");
    });
  });

  test("no database; another program's database; an empty file", () => {
    const [junk, other, empty] = [newPath(), newPath(), newPath()];
    writeFileSync(junk, "this is a note, long enough to be looked at as a database header\n".repeat(40));
    writeFileSync(empty, "");
    const db = new Database(other);
    db.exec("CREATE TABLE notes (id INTEGER)");
    db.close();
    withOps((ops) => {
      for (const path of [junk, other, empty])
        expect(new Set(everything(ops, path, "x"))).toEqual(new Set(["not_a_state_db"]));
    });
  });

  test("a damaged file; another file of the same thread is not affected", () => {
    const [{ path: damaged, id }, good] = [small("--journal", "delete"), small()];
    mutate(damaged, "--append", id, "400");
    execFileSync(PYTHON, [
      "-c",
      "import sys;f=open(sys.argv[1],'r+b');f.seek(4096);f.write(b'\\xff'*200000)",
      damaged,
    ]);
    withOps((ops) => {
      expect(new Set(everything(ops, damaged, id))).toEqual(new Set(["corrupt"]));
      expect(new Set(everything(ops, good.path, good.id))).toEqual(new Set(["ok"]));
    });
  });

  test("one that another program holds exclusively: a poll answers at once, and all is well afterwards", async () => {
    const { path, id } = small("--journal", "delete");
    const { ops, close } = withOpen();
    expect(ops.dataVersion(path).state).toBe("ok");
    const lock = await pythonHolding(
      "import sqlite3,sys;d=sqlite3.connect(sys.argv[1],isolation_level=None);d.execute('BEGIN EXCLUSIVE');print('held',flush=True);sys.stdin.read()",
      path,
    );
    const started = performance.now();
    expect(ops.dataVersion(path).state).toBe("locked");
    expect(ops.changesSince(path, 0, 10).state).toBe("locked");
    expect(ops.heads(path, [id]).state).toBe("locked");
    // A read waits five seconds for it.
    expect(performance.now() - started).toBeLessThan(10_000);
    await lock.end();
    expect(new Set(everything(ops, path, id))).toEqual(new Set(["ok"]));
    close();
  });

  test("a read waits for a short lock", async () => {
    const { path, id } = small("--journal", "delete");
    const { ops, close } = withOpen();
    const lock = await pythonHolding(
      "import sqlite3,sys,time;d=sqlite3.connect(sys.argv[1],isolation_level=None);d.execute('BEGIN EXCLUSIVE');print('held',flush=True);time.sleep(.7)",
      path,
    );
    expect(ops.displayPage(path, [id], { limit: 5 }).state).toBe("ok");
    close();
    await lock.end();
  });
});

const WRITING =
  "import sqlite3,sys;d=sqlite3.connect(sys.argv[1],isolation_level=None);d.execute('BEGIN IMMEDIATE');d.execute('UPDATE sessions SET title=title');print('held',flush=True);sys.stdin.read()";
test("a writer's transaction does not keep us from reading", async () => {
  for (const journal of ["wal", "delete"]) {
    const { path, id } = small("--journal", journal);
    const writer = await pythonHolding(WRITING, path);
    withOps((ops) => expect(new Set(everything(ops, path, id))).toEqual(new Set(["ok"])));
    await writer.end();
  }
});

test("versions are told by columns; a number ahead of them is only noted", () => {
  const [ahead, behind] = [small("--stamp", "99"), small("--stamp", "8")];
  withOps((ops) => {
    expect(mustRead(ops.inspect(ahead.path))).toMatchObject({ version: 99, newer: true });
    expect(mustRead(ops.inspect(behind.path))).toMatchObject({ version: 8, newer: false });
    expect(mustRead(ops.inspect(behind.path)).columns.messages).toContain("message_uid");
    expect(readAll(ops, ahead.path, ahead.id)).toHaveLength(10);
  });
  alter(ahead.path, "DROP TABLE schema_version");
  alter(ahead.path, "ALTER TABLE messages ADD COLUMN of_tomorrow TEXT");
  withOps((ops) => {
    expect(mustRead(ops.inspect(ahead.path))).toMatchObject({ version: null, newer: false });
    expect(readAll(ops, ahead.path, ahead.id)).toHaveLength(10);
  });
});

test("columns that a writer adds while we hold the file are seen with the next read", () => {
  const { path, id } = small("--schema-version", "16", "--fts", "none");
  withOps((ops) => {
    const before = mustRead(ops.inspect(path));
    alter(path, "ALTER TABLE messages ADD COLUMN display_kind TEXT");
    alter(path, "UPDATE messages SET display_kind = 'hidden' WHERE session_id = ? AND role = 'user'", id);
    alter(path, "CREATE INDEX later ON messages(session_id, id)");
    expect(readAll(ops, path, id).some(({ role }) => role === "user")).toBe(false);
    const after = mustRead(ops.inspect(path));
    expect(after.columns.messages).toContain("display_kind");
    expect(after.generation).not.toBe(before.generation);
  });
});

test.each(["wal", "delete"])("reading changes nothing of a file (%s)", (journal) => {
  for (const version of ["6", "16", "31"]) {
    const { path, id } = small("--journal", journal, "--schema-version", version);
    const before = { bytes: bytesOf(path), described: describeFile(path) };
    withOps((ops) => {
      expect(new Set(everything(ops, path, id))).toEqual(new Set(["ok"]));
    });
    expect({ bytes: bytesOf(path), described: describeFile(path) }).toEqual(before);
  }
});

test("writers are never kept waiting, however much we read meanwhile", async () => {
  for (const journal of ["wal", "delete"]) {
    const { path, id } = small("--journal", journal, "--schema-version", "16");
    const writer = pythonBeside(path, "--append", id, "60", "--patience", "0.5", "--interval-ms", "2");
    const { ops, close } = withOpen();
    let ended = false;
    const done = writer
      .then(({ ended: end }) => end)
      .then((result) => {
        ended = true;
        return result;
      });
    while (!ended) {
      everything(ops, path, id);
      await new Promise((resolve) => setImmediate(resolve));
    }
    close();
    // Exit code 4 would be "lock not obtained".
    expect(await done).toEqual([0, null]);
    expect(describeFile(path).sessions.find((session) => session.id === id)?.active).toBe(70);
  }
});

test("a file that was replaced is opened again; so is one that comes back", () => {
  const { path, id } = small();
  const other = small();
  withOps((ops) => {
    const first = mustRead(ops.dataVersion(path));
    expect(readAll(ops, path, id)).toHaveLength(10);
    for (const suffix of ["-wal", "-shm"]) rmSync(other.path + suffix, { force: true });
    mutate(other.path, "--append", other.id, "3");
    const copy = newPath();
    copyFileSync(other.path, copy);
    for (const suffix of ["-wal", "-shm"]) rmSync(path + suffix, { force: true });
    renameSync(copy, path);
    const second = mustRead(ops.dataVersion(path));
    expect(second.version).not.toBe(first.version);
    expect(second.generation).not.toBe(first.generation);
    expect(readAll(ops, path, other.id)).toHaveLength(13);
    rmSync(path);
    expect(ops.dataVersion(path).state).toBe("missing");
  });
});

test("more files than are held open at once", () => {
  const paths = Array.from({ length: 20 }, () => {
    const copy = newPath();
    copyFileSync(template.path, copy);
    return copy;
  });
  withOps((ops) => {
    for (let round = 0; round < 2; round++)
      for (const path of paths) expect(readAll(ops, path, template.id)).toHaveLength(10);
  });
});

const template = small("--journal", "delete");

/** Operations over awaits; `close` is the caller's. */
const withOpen = (): { readonly ops: StateDbReadOps; close(): void } => {
  const { ops, db } = createStateDbReadOps();
  return { ops, close: () => void db.close() };
};

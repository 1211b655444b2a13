import { copyFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { openSearchDatabase } from "../../../common/search/database.ts";
import { createIndexOps } from "../../../common/search/index-ops.ts";
import { openIndexOps } from "../../../common/search/module.ts";
import { createReadFiles } from "../../../common/state-db/read/files.ts";
import {
  alter,
  bytesOf,
  describeFile,
  make,
  mutate,
  newPath,
  pythonHolding,
} from "../state-db/read-files.ts";
import { countDocs, newSearchPath, openIndex, say } from "./index-files.ts";

describe("indexing", () => {
  test("goes through the file in steps of the given size, once", () => {
    const file = make("--sessions", "3", "--messages", "40");
    const index = openIndex();
    const before = bytesOf(file);
    expect(index.status("default")).toEqual({ watermark: 0, done: false });
    expect(index.indexSome("default", file, 50)).toMatchObject({ state: "ok", more: true });
    expect(index.status("default")).toEqual({ watermark: 50, done: false });
    index.fill(file, "default", 50);
    expect(index.status("default")).toEqual({ watermark: 120, done: true });
    const counted = countDocs(index.path);
    expect(counted.docs).toBeGreaterThan(60);
    expect(counted.words).toBe(counted.docs);
    expect(index.indexSome("default", file, 50)).toEqual({ state: "ok", indexed: 0, more: false });
    expect(countDocs(index.path)).toEqual(counted);
    expect(bytesOf(file)).toBe(before);
  });

  test("goes on where it was after a restart, and takes what was added", () => {
    const file = make("--sessions", "2", "--messages", "30");
    const path = newSearchPath();
    const first = openIndexOps(path);
    first.ops.indexSome("default", file, 20);
    first.db.close();
    const index = openIndex(path);
    expect(index.status("default").watermark).toBe(20);
    index.fill(file);
    say(file, "ses_new", ["zebra crossing"]);
    expect(index.indexSome("default", file, 500)).toEqual({ state: "ok", indexed: 1, more: false });
    expect(index.find("zebra", file)).toHaveLength(1);
  });

  test.each([6, 11, 12, 16, 23, 31])("reads files of schema %i", (version) => {
    const file = make("--schema-version", `${version}`, "--sessions", "3", "--messages", "20");
    const index = openIndex();
    expect(index.fill(file)).toBeGreaterThan(30);
    say(file, "ses_new", ["zebra crossing"]);
    index.fill(file);
    const hits = index.find("zebra", file);
    expect(hits).toMatchObject([{ sessionId: "ses_new", rowId: 61, role: "user", createdAt: 1790000000.5 }]);
  });

  test("rows whose active is NULL are there like others", () => {
    const file = make("--schema-version", "31", "--upgraded-from", "11", "--legacy-null-active");
    const index = openIndex();
    const [id] = say(file, "ses_new", ["zebra crossing"]);
    try {
      alter(file, "UPDATE messages SET active = NULL WHERE id = ?", id);
    } catch {
      // This layout refuses it.
    }
    index.fill(file);
    expect(index.find("zebra", file)).toHaveLength(1);
  });

  test("ids of deleted rows at the end are not asked for again", () => {
    const file = make("--sessions", "2", "--messages", "10");
    mutate(file, "--delete", describeFile(file).sessions[1]?.id ?? "");
    const index = openIndex();
    index.fill(file);
    expect(index.status("default")).toEqual({ watermark: 20, done: true });
  });

  test("another file at the same path is indexed from the start, and nothing of the old one stays", () => {
    const file = make("--sessions", "2", "--messages", "30");
    say(file, "ses_old", ["zebra"]);
    const index = openIndex();
    index.fill(file);
    const other = make("--sessions", "1", "--messages", "40", "--seed", "2");
    say(other, "ses_new", ["giraffe"]);
    renameSync(other, file);
    expect(index.find("zebra", file)).toEqual([]);
    index.fill(file, "default", 16);
    expect(index.find("zebra", file)).toEqual([]);
    expect(index.find("giraffe", file)).toMatchObject([{ sessionId: "ses_new", rowId: 41 }]);
    const fresh = openIndex();
    fresh.fill(file);
    expect(countDocs(index.path)).toEqual(countDocs(fresh.path));
  });

  test("a file with the same identity and lower ids is another one", () => {
    const file = make("--sessions", "2", "--messages", "30", "--journal", "delete");
    const index = openIndex();
    index.fill(file);
    const other = make("--sessions", "1", "--messages", "10", "--seed", "2", "--journal", "delete");
    // Over it, as `cp` does: the inode stays.
    copyFileSync(other, file);
    index.fill(file);
    expect(index.status("default")).toEqual({ watermark: 10, done: true });
    expect(countDocs(index.path).docs).toBeLessThanOrEqual(10);
  });

  test("a prompt that was rewritten after it was indexed is found by its new words only", () => {
    const file = make("--sessions", "1", "--messages", "10");
    const [id] = say(file, "ses_new", ["please read zebra"]);
    const index = openIndex();
    index.fill(file);
    alter(file, "UPDATE messages SET content = 'please read the giraffe' WHERE id = ?", id);
    expect(index.find("zebra", file)).toEqual([]);
    index.fill(file);
    expect(index.find("giraffe", file)).toMatchObject([{ rowId: id }]);
    expect(index.find("zebra", file)).toEqual([]);
    expect(index.indexSome("default", file, 10)).toEqual({ state: "ok", indexed: 0, more: false });
  });

  test("recent rows that were rewound or deleted leave the index; shown again, they come back", () => {
    const file = make("--sessions", "1", "--messages", "4");
    const [first, second] = say(file, "ses_new", ["zebra one", "zebra two"]);
    const index = openIndex();
    index.fill(file);
    const counted = countDocs(index.path);
    alter(file, "UPDATE messages SET active = 0 WHERE id = ?", first);
    alter(file, "DELETE FROM messages WHERE id = ?", second);
    expect(index.indexSome("default", file, 10)).toMatchObject({ indexed: 2, more: false });
    expect(countDocs(index.path)).toEqual({ docs: counted.docs - 2, words: counted.words - 2 });
    alter(file, "UPDATE messages SET active = 1 WHERE id = ?", first);
    index.fill(file);
    expect(index.find("zebra", file)).toMatchObject([{ rowId: first }]);
  });
});

describe("what a file can do", () => {
  test("no file, no database, a locked one: said so, and nothing is changed", async () => {
    const index = openIndex();
    expect(index.indexSome("default", newPath(), 10)).toEqual({ state: "missing", indexed: 0, more: false });
    const text = newPath();
    writeFileSync(text, "just some text, longer than the header of a database would be".repeat(20));
    expect(index.indexSome("default", text, 10)).toMatchObject({ state: "not_a_state_db" });
    const file = make("--sessions", "1", "--messages", "10", "--journal", "delete");
    const lock = await pythonHolding(
      `import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None); db.execute("BEGIN EXCLUSIVE"); print("held", flush=True)
sys.stdin.read(); db.execute("ROLLBACK")`,
      file,
    );
    expect(index.indexSome("default", file, 10)).toMatchObject({ state: "locked" });
    await lock.end();
    index.fill(file);
    expect(index.status("default")).toEqual({ watermark: 10, done: true });
    rmSync(file);
    expect(index.indexSome("default", file, 10)).toMatchObject({ state: "missing" });
    expect(index.status("default").watermark).toBe(10);
  });
});

describe("search.db", () => {
  test("two that index the same file in turns write each row once", () => {
    const file = make("--sessions", "3", "--messages", "40");
    const path = newSearchPath();
    const [a, b] = [openIndex(path), openIndex(path)];
    let written = 0;
    for (let more = true; more; ) {
      const steps = [a.indexSome("default", file, 7), b.indexSome("default", file, 7)];
      written += steps[0]?.indexed ?? 0;
      written += steps[1]?.indexed ?? 0;
      more = steps.some((step) => step.more);
    }
    const alone = openIndex();
    alone.fill(file);
    expect(countDocs(path)).toEqual(countDocs(alone.path));
    expect(written).toBe(countDocs(path).docs);
  });

  test("who read before another one's step and writes after it writes nothing", () => {
    const file = make("--sessions", "1", "--messages", "30");
    const path = newSearchPath();
    const other = openIndex(path);
    const db = openSearchDatabase(path);
    const files = createReadFiles();
    let meanwhile = (): unknown => other.indexSome("default", file, 10);
    const late = createIndexOps(db, {
      ...files,
      use(...args) {
        const answer = files.use(...args);
        meanwhile();
        meanwhile = () => undefined;
        return answer;
      },
    });
    expect(late.indexSome("default", file, 20)).toEqual({ state: "ok", indexed: 0, more: true });
    expect(other.status("default").watermark).toBe(10);
    expect(late.indexSome("default", file, 20)).toMatchObject({ more: true });
    other.fill(file);
    const alone = openIndex();
    alone.fill(file);
    expect(countDocs(path)).toEqual(countDocs(alone.path));
    files.close();
    db.close();
  });

  test("a file that is no database any more is made anew", () => {
    const file = make("--sessions", "1", "--messages", "10");
    const path = newSearchPath();
    const first = openIndexOps(path);
    first.ops.indexSome("default", file, 20);
    first.ops.indexLocal([], "7");
    first.db.close();
    writeFileSync(path, "damaged ".repeat(4_000));
    const index = openIndex(path);
    expect(index.status("default")).toEqual({ watermark: 0, done: false });
    expect(index.localMark()).toBeNull();
    expect(index.fill(file)).toBeGreaterThan(5);
  });

  test("forget takes everything of a profile, and of no other", () => {
    const file = make("--sessions", "1", "--messages", "10");
    say(file, "ses_new", ["zebra"]);
    const index = openIndex();
    index.fill(file, "a");
    index.fill(file, "b");
    const local = { sessionId: "s", text: "zebra", role: "user", createdAt: 1 };
    index.indexLocal([
      { ...local, profile: "a", messageId: "1" },
      { ...local, profile: "b", messageId: "2" },
    ]);
    index.forget("a");
    expect(index.status("a")).toEqual({ watermark: 0, done: false });
    const { hits } = index.search({ q: "zebra", limit: 10, paths: { a: file, b: file } });
    expect(hits.map(({ profile }) => profile)).toEqual(["b", "b"]);
    index.fill(file, "a");
    expect(index.search({ q: "zebra", limit: 10, paths: { a: file, b: file } }).hits).toHaveLength(3);
  });
});

import { copyFileSync, renameSync, rmSync } from "node:fs";
import { afterEach, expect, test } from "@jest/globals";
import { type Async, type StoreThread, startStoreThread } from "../../../common/sqlite/client.ts";
import type { StateDbReadOps } from "../../../common/state-db/read/port.ts";
import { type WatchNews, watchStateDb } from "../../../common/state-db/read/watch.ts";
import { alter, describeFile, make, mutate, newPath, pythonBeside, pythonHolding } from "./read-files.ts";

const MODULE = new URL("../../../common/state-db/read/module.ts", import.meta.url);
const opened: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const watching of opened.splice(0)) await watching.stop();
});

interface Watching {
  readonly news: WatchNews[];
  readonly replaced: { readonly generation: string; readonly watermark: number }[];
  readonly states: string[];
  readonly errors: unknown[];
  readonly call: Async<StateDbReadOps>;
  /** Resolves when `isTrue` holds; looked at after everything the watcher tells. */
  until(isTrue: () => boolean): Promise<void>;
  /** How many rows were told, over all sessions. */
  rows(): number;
  stop(): Promise<void>;
}

/** A watcher over a real thread, past its first look. */
const startWatching = async (
  path: string,
  options: { watermark?: number; everyMs?: number; onChanges?: (news: WatchNews) => void } = {},
): Promise<Watching> => {
  const thread: StoreThread<StateDbReadOps> = await startStoreThread(MODULE, "read", {});
  const stopping = new AbortController();
  let tell: () => void = () => undefined;
  const watching: Watching = {
    news: [],
    replaced: [],
    states: [],
    errors: [],
    call: thread.call,
    async until(isTrue) {
      while (!isTrue())
        await new Promise<void>((resolve) => {
          tell = resolve;
        });
    },
    rows: () => watching.news.flatMap(({ changes }) => changes).reduce((sum, { count }) => sum + count, 0),
    async stop() {
      stopping.abort();
      await ended;
      await thread.close();
    },
  };
  const ended = watchStateDb({
    path,
    call: thread.call,
    everyMs: options.everyMs ?? 250,
    ...(options.watermark === undefined ? {} : { watermark: options.watermark }),
    onChanges: (news) => {
      options.onChanges?.(news);
      watching.news.push(news);
      tell();
    },
    onReplaced: (file) => {
      watching.replaced.push(file);
      tell();
    },
    onState: (state) => {
      watching.states.push(state);
      tell();
    },
    onError: (error) => {
      watching.errors.push(error);
      tell();
    },
    signal: stopping.signal,
  });
  opened.push(watching);
  await watching.until(() => watching.states.length > 0);
  return watching;
};

const firstId = (path: string): string => describeFile(path).sessions[0]?.id ?? "";

test.each([
  ["wal", "31"],
  ["wal", "6"],
  ["delete", "16"],
])("an append of another process is told (%s, version %s)", async (journal, version) => {
  const path = make("--sessions", "3", "--messages", "6", "--journal", journal, "--schema-version", version);
  const id = firstId(path);
  const watching = await startWatching(path);
  expect(watching.news).toEqual([]);
  for (let round = 1; round <= 3; round++) {
    const { ids } = mutate(path, "--append", id, "2", "--per-commit", "2") as { ids: number[] };
    await watching.until(() => watching.rows() === round * 2);
    expect(watching.news.findLast(({ changes }) => changes.length > 0)).toMatchObject({
      changes: [{ sessionId: id, count: 2, maxRowId: ids.at(-1) }],
      watermark: ids.at(-1),
    });
  }
});

test("an append is told without file events too", async () => {
  const path = make("--sessions", "1", "--messages", "6");
  const id = firstId(path);
  const watching = await startWatching(path, { everyMs: 600 });
  mutate(path, "--append", id, "1");
  await watching.until(() => watching.rows() === 1);
});

test("a stream of commits is told completely and in order, and its writer never waits", async () => {
  const path = make("--sessions", "2", "--messages", "4", "--journal", "delete");
  const id = firstId(path);
  const watching = await startWatching(path, { everyMs: 20 });
  const writer = await pythonBeside(path, "--append", id, "120", "--patience", "0.5");
  expect(await writer.ended).toEqual([0, null]);
  await watching.until(() => watching.rows() === 120);
  const marks = watching.news.map(({ watermark }) => watermark);
  expect(marks).toEqual(marks.toSorted((a, b) => a - b));
  expect(watching.errors).toEqual([]);
});

test("what happened while nobody watched is told when the watermark is known", async () => {
  const path = make("--sessions", "2", "--messages", "4");
  const id = firstId(path);
  const first = await startWatching(path);
  mutate(path, "--append", id, "1");
  await first.until(() => first.rows() === 1);
  await first.stop();
  mutate(path, "--append", id, "3");
  const second = await startWatching(path, { watermark: first.news.at(-1)?.watermark ?? 0 });
  expect(second.rows()).toBe(3);
});

test("a change without new rows is told as one without rows", async () => {
  const path = make("--sessions", "1", "--messages", "8");
  const id = firstId(path);
  const watching = await startWatching(path);
  mutate(path, "--rewind", id, "1");
  await watching.until(() => watching.news.length > 0);
  expect(watching.rows()).toBe(0);
});

test("a callback that fails gets the same rows again", async () => {
  const path = make("--sessions", "1", "--messages", "4");
  const id = firstId(path);
  let failures = 0;
  const watching = await startWatching(path, {
    onChanges: ({ changes }) => {
      if (changes.length > 0 && failures++ < 2) throw new Error("not now");
    },
  });
  mutate(path, "--append", id, "2", "--per-commit", "2");
  await watching.until(() => watching.rows() > 0);
  expect(watching.errors).toHaveLength(2);
  expect(watching.rows()).toBe(2);
});

test("another file in its place is told as that, and appends to it are followed", async () => {
  const [path, other] = [
    make("--sessions", "1", "--messages", "30"),
    make("--sessions", "1", "--messages", "5"),
  ];
  const id = firstId(other);
  const watching = await startWatching(path);
  const copy = newPath();
  copyFileSync(other, copy);
  for (const suffix of ["-wal", "-shm"]) rmSync(path + suffix, { force: true });
  renameSync(copy, path);
  await watching.until(() => watching.replaced.length > 0);
  expect(watching.replaced).toMatchObject([{ watermark: 5 }]);
  expect(watching.rows()).toBe(0);
  mutate(path, "--append", id, "2");
  await watching.until(() => watching.rows() === 2);
  expect(watching.replaced).toHaveLength(1);
});

test("ids that start lower than what was seen are another file's, whatever its inode", async () => {
  const path = make("--sessions", "1", "--messages", "6");
  const watching = await startWatching(path, { watermark: 500 });
  expect(watching.replaced).toMatchObject([{ watermark: 6 }]);
});

test("a file that comes, goes, is held and comes back: each state is told once", async () => {
  const path = newPath();
  const watching = await startWatching(path, { everyMs: 50 });
  expect(watching.states).toEqual(["missing"]);
  const made = make("--sessions", "1", "--messages", "4", "--journal", "delete");
  const id = firstId(made);
  renameSync(made, path);
  await watching.until(() => watching.states.at(-1) === "ok");
  const lock = await pythonHolding(
    "import sqlite3,sys;d=sqlite3.connect(sys.argv[1],isolation_level=None);d.execute('BEGIN EXCLUSIVE');print('held',flush=True);sys.stdin.read()",
    path,
  );
  await watching.until(() => watching.states.at(-1) === "locked");
  await lock.end();
  await watching.until(() => watching.states.at(-1) === "ok");
  mutate(path, "--append", id, "1");
  await watching.until(() => watching.rows() === 1);
  expect(watching.states).toEqual(["missing", "ok", "locked", "ok"]);
  expect(watching.replaced).toEqual([]);
});

test("a look at an unchanged file reads no rows", async () => {
  const path = make("--sessions", "1", "--messages", "4");
  alter(path, "UPDATE sessions SET cwd = '/'");
  const thread: StoreThread<StateDbReadOps> = await startStoreThread(MODULE, "read", {});
  const stopping = new AbortController();
  const asked = { dataVersion: 0, changesSince: 0 };
  await watchStateDb({
    path,
    everyMs: 5,
    call: {
      dataVersion: (at) => {
        if (++asked.dataVersion === 20) stopping.abort();
        return thread.call.dataVersion(at);
      },
      changesSince: (...args) => {
        asked.changesSince += 1;
        return thread.call.changesSince(...args);
      },
    },
    onChanges: () => undefined,
    onReplaced: () => undefined,
    signal: stopping.signal,
  });
  await thread.close();
  expect(asked).toEqual({ dataVersion: 20, changesSince: 1 });
});

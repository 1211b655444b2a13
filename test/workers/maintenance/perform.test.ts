import { describe, expect, test } from "@jest/globals";
import { pino } from "pino";
import { TalariaError } from "../../../common/base/errors.ts";
import type { MaintenanceTask } from "../../../common/contracts/maintenance.ts";
import type { TalariaDb } from "../../../common/talaria-db/open.ts";
import { createMaintenance } from "../../../workers/maintenance/perform.ts";
import type { Task } from "../../../workers/maintenance/task.ts";
import { withTalariaDb } from "../../helpers/talaria-db.ts";

const log = pino({ level: "silent" });
const nothing: Task = async () => ({ done: 0 });
const only = (trim: Task): Readonly<Record<MaintenanceTask, Task>> => ({
  ...{ archive: nothing, interrupted: nothing, expire: nothing, leftovers: nothing, databases: nothing },
  trim,
});
const worker = (db: TalariaDb, trim: Task, more: { handBack?: AbortSignal; deadlineMs?: number } = {}) =>
  createMaintenance({
    ...{ write: db.write, tasks: only(trim), log },
    handBack: more.handBack ?? new AbortController().signal,
    deadlineMsOf: () => more.deadlineMs ?? 60_000,
  });
const row = async (db: TalariaDb) => (await db.read.maintenance()).find(({ task }) => task === "trim");
/** A task that is at it until it is let go. */
const held = () => {
  const begun = Promise.withResolvers<AbortSignal>();
  const go = Promise.withResolvers<void>();
  const task: Task = async ({ signal }) => {
    begun.resolve(signal);
    await go.promise;
    return { done: 1, mark: 7 };
  };
  return { task, begun: begun.promise, go: () => go.resolve() };
};

describe("one tick of maintenance", () => {
  test("is alone: the next one finds another at it and has nothing to do", () =>
    withTalariaDb(async (db) => {
      const slow = held();
      const first = worker(db, slow.task)("trim", "tick-1");
      await slow.begun;
      let ran = false;
      const second: Task = async () => {
        ran = true;
        return { done: 1 };
      };
      await worker(db, second)("trim", "tick-2");
      expect(ran).toBe(false);
      slow.go();
      await first;
      expect(await row(db)).toMatchObject({ ok: 1, failed: 0, done: 1, error: null });
      await worker(db, second)("trim", "tick-3");
      expect(ran).toBe(true);
    }));

  test("that is delivered again takes over at once; the one before is told to stop and says nothing more", () =>
    withTalariaDb(async (db) => {
      const slow = held();
      const zombie = worker(db, slow.task)("trim", "tick-1");
      const signal = await slow.begun;
      const overtaken = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      const marks: (number | null)[] = [];
      await worker(db, async ({ mark }) => {
        marks.push(mark);
        return { done: 5, mark: 9 };
      })("trim", "tick-1");
      const failed = expect(zombie).rejects.toThrow("another worker took over");
      await overtaken;
      await failed;
      slow.go();
      expect(await row(db)).toMatchObject({ ok: 1, failed: 0, done: 5, error: null });
      await worker(db, async ({ mark }) => {
        marks.push(mark);
        return { done: 0 };
      })("trim", "tick-2");
      expect(marks).toEqual([null, 9]);
    }));

  test("that fails is told by a code, keeps its mark, rejects so that it is tried again, and holds nobody up", () =>
    withTalariaDb(async (db) => {
      await worker(db, async () => ({ done: 2, mark: 4 }))("trim", "tick-1");
      const broken = worker(db, async () => {
        throw new TalariaError("redis_unavailable", "secret in a message");
      });
      await expect(broken("trim", "tick-2")).rejects.toThrow();
      expect(await row(db)).toMatchObject({ ok: 1, failed: 1, error: "redis_unavailable", done: 2 });
      const unknown = worker(db, async () => {
        throw new Error("ENOENT: /a/path");
      });
      await expect(unknown("trim", "tick-3")).rejects.toThrow();
      expect(await row(db)).toMatchObject({ failed: 2, error: "failed" });
      let found: number | null = null;
      await worker(db, async ({ mark }) => {
        found = mark;
        return { done: 0 };
      })("trim", "tick-4");
      expect(found).toBe(4);
      expect(await row(db)).toMatchObject({ ok: 2, failed: 2, error: null });
    }));

  test("that hangs has failed after its deadline, and its place is free", () =>
    withTalariaDb(async (db) => {
      const slow = held();
      await expect(worker(db, slow.task, { deadlineMs: 50 })("trim", "tick-1")).rejects.toThrow();
      expect(await row(db)).toMatchObject({ ok: 0, failed: 1, error: "timeout" });
      await worker(db, nothing)("trim", "tick-2");
      expect(await row(db)).toMatchObject({ ok: 1 });
      slow.go();
    }));

  test("that is handed back has not failed, and the next worker begins at once", () =>
    withTalariaDb(async (db) => {
      const slow = held();
      const handBack = new AbortController();
      const leaving = worker(db, slow.task, { handBack: handBack.signal })("trim", "tick-1");
      await slow.begun;
      handBack.abort(new Error("the worker stops"));
      await expect(leaving).rejects.toThrow("the worker stops");
      expect(await row(db)).toMatchObject({ ok: 0, failed: 0, error: null });
      await worker(db, nothing)("trim", "tick-2");
      expect(await row(db)).toMatchObject({ ok: 1 });
      slow.go();
    }));

  test("of a task that another version knows is left to it", () =>
    withTalariaDb(async (db) => {
      await worker(db, nothing)("polish", "tick-1");
      expect(await db.read.maintenance()).toEqual([]);
    }));
});

import { expect, test } from "@jest/globals";
import type { Journal } from "../../../common/journal/port.ts";
import { counted, END, playRun, readAll, token, withJournal } from "../../helpers/journal.ts";
import { startRedis } from "../../helpers/redis.ts";

const S = "s_1";
const first = { sessionId: S, runId: "run_a", generation: 1, attempt: 1 };
const second = { ...first, generation: 2, attempt: 2 };

const settle = (journal: Journal, generation: number, by: string, event: string) =>
  journal.announce(
    { sessionId: S, runId: first.runId, generation, attempt: 1, minSeq: 0 },
    by,
    [
      { event, data: "{}" },
      { event: "stream_end", data: "{}" },
    ],
    true,
  );

test("concurrent-emitters-keep-order: two producers, one numbering without holes", () =>
  withJournal(async ({ journal }) => {
    await journal.claim(first, 0);
    const worker = async (): Promise<void> => {
      for (let batch = 1; batch <= 500; batch++)
        await journal.append(
          first,
          batch,
          counted(0, 10).map((n) => token(`w${batch}.${n}`)),
        );
    };
    const other = async (): Promise<void> => {
      const target = { sessionId: S, runId: "run_b", generation: 1, attempt: 0, minSeq: 0 };
      for (let call = 0; call < 500; call++)
        await journal.announce(
          target,
          `call ${call}`,
          counted(0, 10).map((n) => token(`o${call}.${n}`)),
        );
    };
    await Promise.all([worker(), other()]);
    const all = await readAll(journal, S);
    expect(all.map(({ seq }) => seq)).toEqual(counted(1, 10_000));
    for (const runId of ["run_a", "run_b"])
      expect(all.filter((entry) => entry.runId === runId).map(({ runSeq }) => runSeq)).toEqual(
        counted(1, 5_000),
      );
  }));

test("zombie-writer-refused: after the hand-over only the new owner's entries are added", () =>
  withJournal(async ({ journal }) => {
    await journal.claim(first, 0);
    await journal.append(first, 1, [token("a")]);
    await journal.claim(second, 0);
    expect(await journal.append(first, 2, [token("zombie")])).toEqual({ status: "stale", generation: 2 });
    expect(await journal.claim(first, 0)).toEqual({ status: "stale", generation: 2 });
    await journal.append(second, 1, [token("b")]);
    expect((await readAll(journal, S)).map(({ data, runSeq, attempt }) => [data, runSeq, attempt])).toEqual([
      ['{"text":"a"}', 1, 1],
      ['{"text":"b"}', 2, 2],
    ]);
  }));

test("terminal-is-unique: of two that close the run at once one is told that it was too late", () =>
  withJournal(async ({ journal }) => {
    await journal.claim(first, 0);
    const results = await Promise.all([
      journal.append(first, 1, END, true),
      settle(journal, 1, "cancel", "cancel"),
    ]);
    expect(results.map(({ status }) => status).sort()).toEqual(["closed", "ok"]);
    expect(await readAll(journal, S)).toHaveLength(2);
    expect(await journal.append(first, 2, [token("late")])).toEqual({ status: "closed" });
    expect(await journal.claim(second, 0)).toEqual({ status: "closed" });
  }));

test("no-id-reuse: an interruption that was announced keeps the slow worker's end out", () =>
  withJournal(async ({ journal }) => {
    await journal.claim(first, 0);
    await journal.append(first, 1, [token("a")]);
    expect(await settle(journal, 2, "terminal", "interrupted")).toMatchObject({ status: "ok", lastSeq: 3 });
    expect(await journal.append(first, 2, END, true)).toEqual({ status: "stale", generation: 2 });
    const ids = (await readAll(journal, S)).map(({ seq, generation }) => `${seq}-${generation}`);
    expect(ids).toEqual(["1-1", "2-2", "3-2"]);
  }));

test("the same announcement made twice is there once, with the first reply", () =>
  withJournal(async ({ journal }) => {
    const once = await settle(journal, 1, "terminal", "cancel");
    expect(once).toMatchObject({ status: "ok", duplicate: false, lastSeq: 2, lastRunSeq: 2 });
    expect(await settle(journal, 1, "terminal", "cancel")).toEqual({ ...once, duplicate: true });
    expect(await settle(journal, 1, "other", "done")).toEqual({ status: "closed" });
    const noRun = { sessionId: S, runId: null, generation: 1, attempt: 0, minSeq: 0 };
    for (const duplicate of [false, true])
      expect(
        await journal.announce(noRun, "title 7", [{ event: "session_changed", data: "{}" }]),
      ).toMatchObject({
        ...{ status: "ok", duplicate, lastSeq: 3, lastRunSeq: 0 },
      });
    expect(await readAll(journal, S)).toHaveLength(3);
  }));

test("delete-then-late-emit: nothing is re-created and the writer is stopped", () =>
  withJournal(async ({ journal, redis, keys }) => {
    await journal.claim(first, 0);
    await journal.append(first, 1, [token("a")]);
    await journal.remove(S, 1);
    expect(await journal.append(first, 2, [token("late")])).toEqual({ status: "stale", generation: 1 });
    expect(await settle(journal, 1, "terminal", "cancel")).toEqual({ status: "stale", generation: 1 });
    await journal.requestCancel(S, first.runId);
    expect(await redis.keys(`${keys.prefix}:*`)).toEqual([keys.head(S)]);
    expect(await redis.ttl(keys.head(S))).toBeGreaterThan(3_500);
    expect(await journal.head(S)).toBeNull();
    // Created anew under the same name, it starts at 1.
    await journal.claim(second, 0);
    expect(await journal.append(second, 1, [token("new")])).toMatchObject({ lastSeq: 1, lastRunSeq: 1 });
    expect(await redis.ttl(keys.head(S))).toBe(-1);
  }));

test("reply lost after append: the repeated batch adds nothing and gets the first reply", () =>
  withJournal(async ({ journal }) => {
    await journal.claim(first, 0);
    const reply = await journal.append(first, 1, [token("a"), token("b")]);
    await journal.announce({ sessionId: S, runId: null, generation: 1, attempt: 0, minSeq: 0 }, "x", [
      token("x"),
    ]);
    expect(await journal.append(first, 1, [token("a"), token("b")])).toEqual({ ...reply, duplicate: true });
    expect(await journal.append(first, 2, END, true)).toMatchObject({ status: "ok", lastSeq: 5 });
    expect(await journal.append(first, 2, END, true)).toMatchObject({
      status: "ok",
      duplicate: true,
      lastSeq: 5,
    });
    expect(await readAll(journal, S)).toHaveLength(5);
  }));

test("FLUSHALL mid-run: the writer meets a gap, and a new claim goes on behind what the database has seen", () =>
  withJournal(async ({ journal, empty }) => {
    await journal.claim(first, 0);
    await journal.append(
      first,
      1,
      counted(0, 9).map((n) => token(`${n}`)),
    );
    await empty();
    expect(await journal.append(first, 2, [token("x")])).toEqual({ status: "gap" });
    expect(await journal.head(S)).toBeNull();
    expect(await journal.claim(second, 9)).toMatchObject({ status: "ok", lastSeq: 9, lastRunSeq: 0 });
    expect(await journal.append(second, 1, [token("again")])).toMatchObject({ lastSeq: 10, lastRunSeq: 1 });
    expect(await journal.checkSessionCursor(S, "9-1")).not.toMatchObject({ kind: "after" });
  }));

test("FLUSHALL before the first batch: it is not numbered from 1 behind the claim's back", () =>
  withJournal(async ({ journal, empty }) => {
    await journal.claim(first, 40);
    await empty();
    expect(await journal.append(first, 1, [token("x")])).toEqual({ status: "gap" });
  }));

test("an announcement into a log that lost entries never gives their ids out again", () =>
  withJournal(async ({ journal, empty }) => {
    await playRun(journal, first, ["a", "b", "c"]);
    const before = await readAll(journal, S);
    await empty();
    const target = { sessionId: S, runId: "run_b", generation: 1, attempt: 0, minSeq: 2 };
    await journal.announce(target, "queued", [token("q")]);
    const ids = new Set([...before, ...(await readAll(journal, S))].map((e) => `${e.seq}-${e.generation}`));
    expect(ids.size).toBe(before.length + 1);
  }));

test("a run over its byte cap is refused, but may still end", () =>
  withJournal(
    async ({ journal }) => {
      await journal.claim(first, 0);
      await journal.append(first, 1, [token("x".repeat(60))]);
      expect(await journal.append(first, 2, [token("x".repeat(60))])).toEqual({ status: "full" });
      expect(await journal.append(first, 2, END, true)).toMatchObject({ status: "ok", lastRunSeq: 3 });
    },
    { maxRunBytes: 100 },
  ));

test("a cancel request comes back with every reply, whoever appends", () =>
  withJournal(async ({ journal }) => {
    await journal.claim(first, 0);
    await journal.requestCancel(S, first.runId);
    expect(await journal.append(first, 1, [token("a")])).toMatchObject({ cancelRequested: true });
    expect(await journal.claim(second, 0)).toMatchObject({ cancelRequested: true });
  }));

test("a full Redis refuses with redis_unavailable and adds no half batch", async () => {
  // A server of its own: nobody else's may be filled up.
  const server = await startRedis();
  await withJournal(
    async ({ journal, redis }) => {
      await journal.claim(first, 0);
      await redis.config("SET", "maxmemory", "1");
      const batch = [token("a"), token("b")];
      await expect(journal.append(first, 1, batch)).rejects.toMatchObject({ code: "redis_unavailable" });
      await redis.config("SET", "maxmemory", "0");
      expect(await journal.append(first, 1, batch)).toMatchObject({ duplicate: false, lastSeq: 2 });
    },
    { url: server.url },
  );
  await server.stop();
});

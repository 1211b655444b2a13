import { expect, test } from "@jest/globals";
import type { Journal } from "../../../common/journal/port.ts";
import { counted, END, playRun, readAll, token, withJournal } from "../../helpers/journal.ts";

const S = "s_1";
const writer = (runId: string, generation: number, attempt = 1) => ({
  sessionId: S,
  runId,
  generation,
  attempt,
});
const letters = ["a", "b", "c"];
const announceQueued = (journal: Journal, runId: string, generation: number) =>
  journal.announce({ sessionId: S, runId, generation, attempt: 0, minSeq: 0 }, "queued", [
    { event: "run_queued", data: "{}" },
  ]);

test("archive round trip: text with U+2028, U+2029, U+0085 and newlines comes back byte for byte", () =>
  withJournal(async ({ journal, redis, keys }) => {
    const texts = ["line\u2028two", "para\u2029two", "next\u0085line", "new\nline\r\n", "\u{1F600} \u0000"];
    await playRun(journal, writer("run_a", 1), texts);
    const before = await journal.runRange(S, "run_a", 0, 100);
    expect(await journal.archive(S, "run_a")).toBe(true);
    await redis.del(keys.log(S), keys.run(S, "run_a"));
    expect(await journal.runRange(S, "run_a", 0, 100)).toEqual(before);
    expect(await journal.range(S, 0, 100)).toEqual(before);
    expect(before.slice(0, -2).map(({ data }) => JSON.parse(data).text)).toEqual(texts);
  }));

test("only a run that has ended is archived, and only once", () =>
  withJournal(async ({ journal }) => {
    await journal.claim(writer("run_a", 1), 0);
    await journal.append(writer("run_a", 1), 1, [token("a")]);
    expect(await journal.archive(S, "run_a")).toBe(false);
    await journal.append(writer("run_a", 1), 2, END, true);
    expect(await journal.archive(S, "run_a")).toBe(true);
    expect(await journal.archive(S, "run_a")).toBe(false);
    expect(await journal.archive(S, "run_x")).toBe(false);
  }));

test("trimming removes whole runs from the front, and reading goes on as if nothing had happened", () =>
  withJournal(async ({ journal, redis, keys }) => {
    for (const [index, runId] of ["run_a", "run_b", "run_c"].entries()) {
      await announceQueued(journal, runId, index);
      await playRun(journal, writer(runId, index + 1), letters);
    }
    await journal.claim(writer("run_d", 4), 0);
    await journal.append(writer("run_d", 4), 1, [token("live")]);
    const whole = await readAll(journal, S);
    const spans = await Promise.all(["run_a", "run_d"].map((runId) => journal.span(S, runId)));
    await journal.archive(S, "run_a");
    await journal.archive(S, "run_c");
    // run_b is not archived: it stays, and what is behind it stays too.
    expect(await journal.trim(S, Date.now() + 1_000)).toBe(1);
    expect(await redis.xlen(keys.log(S))).toBe(whole.length - 6);
    expect(await readAll(journal, S, 4)).toEqual(whole);
    await journal.archive(S, "run_b");
    expect(await journal.trim(S, Date.now() - 60_000)).toBe(0);
    expect(await journal.trim(S, Date.now() + 1_000)).toBe(2);
    expect(await redis.xlen(keys.log(S))).toBe(1);
    for (const page of [1, 4, 100]) expect(await readAll(journal, S, page)).toEqual(whole);
    expect(await journal.runRange(S, "run_b", 2, 2)).toEqual(
      whole.filter(({ runId }) => runId === "run_b").slice(2, 4),
    );
    expect(await Promise.all(["run_a", "run_d"].map((runId) => journal.span(S, runId)))).toEqual(spans);
    expect(await redis.keys(`${keys.prefix}:*:run:*`)).toEqual([keys.run(S, "run_d")]);
  }));

test("a run queued while another streams: trimming never cuts through either", () =>
  withJournal(async ({ journal, redis, keys }) => {
    await playRun(journal, writer("run_0", 1), letters);
    await journal.claim(writer("run_a", 2), 0);
    await journal.append(writer("run_a", 2), 1, [token("a")]);
    await announceQueued(journal, "run_b", 2);
    await journal.append(writer("run_a", 2), 2, END, true);
    const whole = await readAll(journal, S);
    for (const runId of ["run_0", "run_a"]) await journal.archive(S, runId);
    expect(await journal.trim(S, Date.now() + 1_000)).toBe(1);
    expect(await redis.xlen(keys.log(S))).toBe(4);
    await playRun(journal, writer("run_b", 3), []);
    await journal.archive(S, "run_b");
    expect(await journal.trim(S, Date.now() + 1_000)).toBe(2);
    expect(await redis.xlen(keys.log(S))).toBe(0);
    expect((await readAll(journal, S, 2)).slice(0, 9)).toEqual(whole);
  }));

test("a page of a run of 100,000 entries is read from where it stands", () =>
  withJournal(async ({ journal, redis }) => {
    await journal.claim(writer("run_a", 1), 0);
    for (let batch = 1; batch <= 50; batch++)
      await journal.append(
        writer("run_a", 1),
        batch,
        counted(0, 1_999).map((n) => token(`${n}`)),
      );
    await announceQueued(journal, "run_b", 1);
    await journal.claim(writer("run_a", 2, 2), 0);
    await journal.append(
      writer("run_a", 2, 2),
      1,
      counted(0, 50).map((n) => token(`second ${n}`)),
    );
    const read = async (): Promise<number> =>
      Number(/cmdstat_xrange:calls=(\d+)/.exec(await redis.info("commandstats"))?.[1] ?? 0);
    for (const after of [0, 50_000, 99_949, 99_950, 99_990]) {
      const calls = await read();
      const page = await journal.runRange(S, "run_a", after, 20);
      expect(page.map(({ runSeq }) => runSeq)).toEqual(counted(after + 1, Math.min(20, 100_000 - after)));
      expect((await read()) - calls).toBeLessThanOrEqual(2);
    }
  }));

test("trimmed-journal: a position in a trimmed run goes on from the archive, one that nobody kept has expired", () =>
  withJournal(async ({ journal, redis, keys }) => {
    await journal.announce({ sessionId: S, runId: null, generation: 1, attempt: 0, minSeq: 0 }, "created", [
      { event: "session_changed", data: "{}" },
    ]);
    await playRun(journal, writer("run_a", 1), letters);
    await playRun(journal, writer("run_b", 2), letters);
    await journal.archive(S, "run_a");
    await journal.trim(S, Date.now() + 1_000);
    expect(await redis.xlen(keys.log(S))).toBe(5);
    expect(await journal.checkSessionCursor(S, "3-1")).toEqual({
      kind: "after",
      seq: 3,
      generation: 1,
      runSeq: 2,
    });
    expect(await journal.checkRunCursor(S, "run_a", "run_a:2")).toEqual({
      kind: "after",
      seq: 3,
      generation: 1,
      runSeq: 2,
    });
    expect(await journal.checkSessionCursor(S, "3-2")).toEqual({ kind: "unknown" });
    expect(await journal.checkSessionCursor(S, "1-1")).toEqual({ kind: "expired" });
    expect(await journal.checkSessionCursor(S, "3-9")).toEqual({ kind: "unknown" });
  }));

test("replay-too-large: a session cursor more than 10,000 entries behind has expired, a run's cursor has not", () =>
  withJournal(async ({ journal }) => {
    await journal.claim(writer("run_a", 1), 0);
    for (let batch = 1; batch <= 11; batch++)
      await journal.append(
        writer("run_a", 1),
        batch,
        counted(0, 1_000).map(() => token("x")),
      );
    expect(await journal.checkSessionCursor(S, "999-1")).toEqual({ kind: "expired" });
    expect(await journal.checkSessionCursor(S, "0")).toEqual({ kind: "expired" });
    expect(await journal.checkSessionCursor(S, "1000-1")).toMatchObject({ kind: "after", seq: 1000 });
    expect(await journal.checkRunCursor(S, "run_a", "run_a:1")).toMatchObject({ kind: "after", runSeq: 1 });
    expect(await journal.checkRunCursor(S, "run_a", "0")).toMatchObject({ kind: "after", runSeq: 0 });
  }));

test("hostile-cursors: what names no entry is unknown, never a position", () =>
  withJournal(async ({ journal }) => {
    await playRun(journal, writer("run_a", 1), letters);
    const huge = "9".repeat(10_000_000);
    for (const cursor of [
      "abc",
      "-1",
      "-3",
      "",
      "other:4",
      "run_a:999",
      "run_a:",
      "run_a:2-7",
      huge,
      `run_a:${huge}`,
    ])
      expect(await journal.checkRunCursor(S, "run_a", cursor)).toEqual({ kind: "unknown" });
    for (const cursor of [
      "abc",
      "-1",
      "",
      "6-1",
      "3-2",
      "3",
      "3-",
      "03-1",
      "run_a:3",
      huge,
      `${huge}-1`,
      "+3-1",
    ])
      expect(await journal.checkSessionCursor(S, cursor)).toEqual({ kind: "unknown" });
    expect(await journal.checkSessionCursor("s_2", "3-1")).toEqual({ kind: "unknown" });
    expect(await journal.checkRunCursor("s_2", "run_a", "run_a:3")).toEqual({ kind: "unknown" });
    expect(await journal.checkRunCursor(S, "run_a", "run_a:5")).toEqual({
      kind: "after",
      seq: 5,
      generation: 1,
      runSeq: 5,
    });
    expect(await journal.checkSessionCursor(S, "5-1")).toEqual({
      kind: "after",
      seq: 5,
      generation: 1,
      runSeq: 5,
    });
  }));

test("next-turn-not-suppressed: a position of one run is none in the next", () =>
  withJournal(async ({ journal }) => {
    await playRun(journal, writer("run_a", 1), counted(0, 38).map(String));
    await playRun(journal, writer("run_b", 2), counted(0, 10).map(String));
    expect(await journal.checkRunCursor(S, "run_b", "run_a:4")).toEqual({ kind: "unknown" });
    expect(await journal.runRange(S, "run_b", 0, 100)).toHaveLength(12);
  }));

test("a cursor without a generation names only entries of a first attempt", () =>
  withJournal(async ({ journal }) => {
    await journal.claim(writer("run_a", 1), 0);
    await journal.append(writer("run_a", 1), 1, [token("a")]);
    await journal.claim(writer("run_a", 2, 2), 0);
    await journal.append(writer("run_a", 2, 2), 1, [token("b")]);
    const check = (cursor: string) => journal.checkRunCursor(S, "run_a", cursor);
    expect(await check("run_a:1")).toMatchObject({ kind: "after", runSeq: 1 });
    expect(await check("run_a:2")).toEqual({ kind: "unknown" });
    expect(await check("run_a:2-1")).toEqual({ kind: "unknown" });
    expect(await check("run_a:2-2")).toMatchObject({ kind: "after", runSeq: 2 });
  }));

test("heads of many sessions come in one call; an empty log has none", () =>
  withJournal(async ({ journal }) => {
    await playRun(journal, writer("run_a", 1), letters);
    expect(await journal.heads([S, "s_2", S])).toEqual([
      { seq: 5, generation: 1 },
      null,
      { seq: 5, generation: 1 },
    ]);
    expect(await journal.heads([])).toEqual([]);
    expect(await journal.span(S, "run_a")).toEqual({
      ...{ firstSeq: 1, lastSeq: 5, lastRunSeq: 5, lastAttempt: 1, lastGeneration: 1, closed: true },
    });
    expect(await journal.span(S, "run_x")).toBeNull();
  }));

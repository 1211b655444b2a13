import { expect, test } from "@jest/globals";
import type { AppendResult, Journal, NewEntry } from "../../../common/journal/port.ts";
import { createJournalWriter } from "../../../common/journal/writer.ts";
import { counted, END, type JournalBench, readAll, token, withJournal } from "../../helpers/journal.ts";

const S = "s_1";
const first = { sessionId: S, runId: "run_a", generation: 1, attempt: 1 };
const second = { ...first, generation: 2, attempt: 2 };

/** The journal behind a wire on which `fault` decides, per append, what happens before it and what to its reply. */
const behind = (
  journal: Journal,
  fault: (call: number) => "ok" | "not sent" | "reply lost" | Promise<unknown>,
) => {
  const batches: { readonly batch: number; readonly size: number }[] = [];
  let open = 0;
  return {
    batches,
    append: async (
      writer: typeof first,
      batch: number,
      entries: readonly NewEntry[],
      final?: boolean,
    ): Promise<AppendResult> => {
      expect(++open).toBe(1);
      try {
        batches.push({ batch, size: entries.length });
        const what = await fault(batches.length);
        if (what === "not sent") throw new Error("connection refused");
        const result = await journal.append(writer, batch, entries, final);
        if (what === "reply lost") throw new Error("connection reset");
        return result;
      } finally {
        open--;
      }
    },
  };
};

test("entries go in in order, collected while an append is under way", () =>
  withJournal(async ({ journal }) => {
    await journal.claim(first, 0);
    const wire = behind(journal, () => "ok");
    const writer = createJournalWriter(wire, first);
    for (const n of counted(1, 500)) writer.push(token(`${n}`));
    await writer.flush();
    await writer.finish(END);
    const all = await readAll(journal, S);
    expect(all.slice(0, 500).map(({ data }) => JSON.parse(data).text)).toEqual(counted(1, 500).map(String));
    expect(all.slice(500).map(({ event }) => event)).toEqual(["done", "stream_end"]);
    expect(wire.batches.map(({ batch }) => batch)).toEqual(counted(1, wire.batches.length));
    expect(Math.max(...wire.batches.map(({ size }) => size))).toBeLessThanOrEqual(64);
    expect(wire.batches.length).toBeLessThan(20);
    expect(() => writer.push(token("late"))).toThrow("finished");
  }));

test("reply lost after append, and appends that never arrived: the same batch again, nothing twice, nothing missing", () =>
  withJournal(async ({ journal }) => {
    await journal.claim(first, 0);
    const faults = ["reply lost", "reply lost", "not sent", "ok", "not sent", "ok"] as const;
    const wire = behind(journal, (call) => faults[call - 1] ?? "ok");
    const writer = createJournalWriter(wire, first);
    for (const n of counted(1, 100)) writer.push(token(`${n}`));
    await writer.finish(END);
    expect(wire.batches.map(({ batch }) => batch)).toEqual([1, 1, 1, 1, 2, 2, 3]);
    const all = await readAll(journal, S);
    expect(all.map(({ runSeq }) => runSeq)).toEqual(counted(1, 102));
    expect(all.slice(0, 100).map(({ data }) => JSON.parse(data).text)).toEqual(counted(1, 100).map(String));
  }));

test("while Redis is away at most the bound is held back, and the caller is told to wait", () =>
  withJournal(async ({ journal }) => {
    await journal.claim(first, 0);
    const away = Promise.withResolvers<void>();
    const writer = createJournalWriter(
      behind(journal, () => away.promise),
      first,
      { maxBytes: 1_000 },
    );
    let pushed = 0;
    let wait: Promise<void> | undefined;
    while (wait === undefined) wait = writer.push(token(`${++pushed}`.padEnd(90)));
    expect(pushed).toBeGreaterThan(8);
    expect(pushed).toBeLessThan(12);
    let waited = true;
    const room = wait.then(() => {
      waited = false;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(waited).toBe(true);
    away.resolve();
    await room;
    await writer.flush();
    expect(await readAll(journal, S)).toHaveLength(pushed);
  }));

test.each([
  ["stale", ({ journal }: JournalBench) => journal.claim(second, 0)],
  ["closed", ({ journal }: JournalBench) => journal.announce({ ...first, minSeq: 0 }, "end", END, true)],
  ["gap", ({ empty }: JournalBench) => empty()],
] as const)(
  "zombie-writer-refused: %s is told once, to flush, finish and every later push",
  (reason, happens) =>
    withJournal(async (bench) => {
      await bench.journal.claim(first, 0);
      const told: string[] = [];
      const writer = createJournalWriter(bench.journal, first, {
        onRefused: (refusal) => told.push(refusal.reason),
      });
      writer.push(token("a"));
      await writer.flush();
      await happens(bench);
      writer.push(token("b"));
      await expect(writer.flush()).rejects.toMatchObject({ name: "JournalRefused", reason });
      await expect(writer.flush()).rejects.toMatchObject({ reason });
      await expect(writer.finish(END)).rejects.toMatchObject({ reason });
      expect(() => writer.push(token("c"))).toThrow(reason);
      expect(told).toEqual([reason]);
    }),
);

test("closing gives up what is not written, and stops repeating", () =>
  withJournal(async ({ journal }) => {
    await journal.claim(first, 0);
    const wire = behind(journal, () => "not sent");
    const writer = createJournalWriter(wire, first);
    writer.push(token("a"));
    const flushed = writer.flush();
    await new Promise((resolve) => setImmediate(resolve));
    writer.close();
    writer.close();
    await expect(flushed).rejects.toMatchObject({ reason: "abandoned" });
    const { length } = wire.batches;
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect(wire.batches).toHaveLength(length);
  }));

test("a cancel request reaches the caller once", () =>
  withJournal(async ({ journal }) => {
    await journal.claim(first, 0);
    await journal.requestCancel(S, first.runId);
    let asked = 0;
    const writer = createJournalWriter(journal, first, { onCancelRequested: () => asked++ });
    for (const n of counted(1, 3)) {
      writer.push(token(`${n}`));
      await writer.flush();
    }
    expect(asked).toBe(1);
  }));

import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { createRunView, viewReasoning, viewText } from "../../../common/contracts/run-view.ts";
import type { AppendResult, NewEntry } from "../../../common/journal/port.ts";
import { createJournalWriter } from "../../../common/journal/writer.ts";
import { createRedactor } from "../../../common/logging/redact.ts";
import { createEmitter } from "../../../workers/run/emitter.ts";

/** A journal that answers when it is told to, and keeps what it was given. */
const slowJournal = () => {
  const entries: NewEntry[] = [];
  let answer: (() => void) | null = null;
  return {
    entries,
    answer: () => answer?.(),
    append: (_writer: unknown, _batch: number, given: readonly NewEntry[]): Promise<AppendResult> =>
      new Promise((resolve) => {
        entries.push(...given);
        answer = () =>
          resolve({ status: "ok", duplicate: false, lastSeq: 0, lastRunSeq: 0, cancelRequested: false });
      }),
  };
};
const owner = { sessionId: "s", runId: "r", generation: 1, attempt: 1 };

test("text that comes faster than the journal takes it becomes fewer entries; nothing is lost or moved", async () => {
  const journal = slowJournal();
  const writer = createJournalWriter(journal, owner, { flushMs: 0 });
  const emitter = createEmitter(createRunView("r"), 1, writer, createRedactor([]));
  emitter.text("token", 1, "a");
  await Promise.resolve();
  for (const delta of ["b", "c", "d"]) emitter.text("token", 1, delta);
  emitter.text("reasoning", 1, "e");
  emitter.emit({ event: "warning", payload: { type: "t", message: "m" } });
  emitter.text("token", 1, "f");
  const flushed = writer.flush();
  journal.answer();
  await Promise.resolve().then(() => new Promise((resolve) => setImmediate(resolve)));
  journal.answer();
  await flushed;
  expect(
    journal.entries.map((entry) => [entry.event, (JSON.parse(entry.data) as { text?: string }).text]),
  ).toEqual([
    ["token", "a"],
    ["token", "bcd"],
    ["reasoning", "e"],
    ["warning", undefined],
    ["token", "f"],
  ]);
  expect(viewText(emitter.view)).toBe("abcdf");
  writer.close();
});

test("whatever is said in whatever pieces, the journal holds the redacted text of each kind, in order", async () => {
  const secret = "sk-canary-0123456789abcdef";
  const piece = fc.oneof(
    fc.string({ maxLength: 6 }),
    fc.constantFrom("sk-can", "ary-01", secret, "23456789abcdef"),
  );
  const delta = fc.record({ kind: fc.constantFrom("token" as const, "reasoning" as const), text: piece });
  await fc.assert(
    fc.asyncProperty(fc.array(delta, { maxLength: 30 }), async (deltas) => {
      const entries: NewEntry[] = [];
      const append = async (_w: unknown, _b: number, given: readonly NewEntry[]): Promise<AppendResult> => {
        entries.push(...given);
        return { status: "ok", duplicate: false, lastSeq: 0, lastRunSeq: 0, cancelRequested: false };
      };
      const writer = createJournalWriter({ append }, owner, { flushMs: 0 });
      const emitter = createEmitter(createRunView("r"), 1, writer, createRedactor([secret]));
      for (const { kind, text } of deltas) await emitter.text(kind, 1, text);
      emitter.settleText();
      await writer.flush();
      const of = (event: string): string =>
        entries
          .filter((entry) => entry.event === event)
          .map((entry) => (JSON.parse(entry.data) as { text: string }).text)
          .join("");
      expect(of("token")).toBe(viewText(emitter.view));
      expect(of("reasoning")).toBe(viewReasoning(emitter.view));
      // Each kind by itself: one of them after the other was never said.
      for (const kind of ["token", "reasoning"]) expect(of(kind)).not.toContain(secret);
      writer.close();
    }),
    { numRuns: 60 },
  );
});

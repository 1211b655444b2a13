import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { greatestValid, parseRunCursor, parseSessionCursor } from "../../../common/journal/cursor.ts";
import { type CursorCheck, runCursor, sessionCursor } from "../../../common/journal/port.ts";

const number = fc.integer({ min: 1, max: 999_999_999_999_999 });
const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);

test("every id that an entry gets is read back as the position it names", () =>
  fc.assert(
    fc.property(
      number,
      fc.integer({ min: 0, max: 2 ** 40 }),
      number,
      fc.integer({ min: 0, max: 5 }),
      id,
      (...of) => {
        const [seq, generation, runSeq, attempt, runId] = of;
        expect(parseSessionCursor(sessionCursor({ seq, generation }))).toEqual({
          kind: "entry",
          seq,
          generation,
        });
        expect(parseRunCursor(runCursor({ runSeq, generation, attempt }, runId), runId)).toEqual({
          ...{ kind: "entry", runSeq, generation: attempt <= 1 ? null : generation },
        });
      },
    ),
  ));

test("hostile-cursors: any text is refused or read back as it was given, never bent into a position", () =>
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[-+0-9:a-z]{0,12}$/)), (text) => {
      const session = parseSessionCursor(text);
      if (session?.kind === "entry")
        expect(text).toMatch(new RegExp(`^${session.seq}-0*${session.generation}$`));
      else if (session !== null) expect(text).toBe("0");
      const run = parseRunCursor(text, "a");
      if (run?.kind === "entry") expect(text.startsWith(`a:${run.runSeq}`)).toBe(true);
      else if (run !== null) expect(["0", "a:0"]).toContain(text);
    }),
    { numRuns: 2_000 },
  ));

test("another run's cursor is none, even of a run whose id begins alike", () =>
  fc.assert(
    fc.property(id, id, number, (a, b, runSeq) => {
      fc.pre(a !== b);
      expect(parseRunCursor(`${a}:${runSeq}`, b)).toBeNull();
    }),
  ));

test("stale-url-fresh-header: the greatest existing position wins, whatever order and company", () => {
  const check = fc.oneof(
    fc.record({
      kind: fc.constant("after" as const),
      seq: fc.nat(99),
      generation: fc.nat(9),
      runSeq: fc.nat(99),
    }),
    fc.constant<CursorCheck>({ kind: "unknown" }),
    fc.constant<CursorCheck>({ kind: "expired" }),
  );
  fc.assert(
    fc.property(fc.array(check, { maxLength: 5 }), (checks) => {
      const best = greatestValid(checks);
      const seqs = checks.flatMap((each) => (each.kind === "after" ? [each.seq] : []));
      if (checks.length === 0) expect(best).toBeNull();
      else if (seqs.length > 0) expect(best).toMatchObject({ kind: "after", seq: Math.max(...seqs) });
      else expect(best?.kind).toBe(checks.some(({ kind }) => kind === "expired") ? "expired" : "unknown");
    }),
  );
});

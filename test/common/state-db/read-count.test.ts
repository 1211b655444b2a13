import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import type { DisplayRow, Hidden, StateDbReadOps } from "../../../common/state-db/read/port.ts";
import { countAll, describeFile, make, mustRead, mutate, readAll, withOps } from "./read-files.ts";

const segmentsOf = (ops: StateDbReadOps, path: string, id: string): readonly string[] =>
  mustRead(ops.segments(path, id))?.ids ?? [];

/** Counts of every size, and pages with short texts, agree with the whole transcript (P13). */
const expectCounts = (ops: StateDbReadOps, path: string, id: string, hidden?: Hidden): void => {
  const rows = readAll(ops, path, id, 1000, { hidden });
  const segments = segmentsOf(ops, path, id);
  const last = rows.at(-1);
  for (const limit of [1_000_000, 5]) {
    const { count, steps } = countAll(ops, path, segments, limit, hidden);
    expect([id, count]).toEqual([id, rows.length]);
    const newest = steps.find(({ lastPosition }) => lastPosition !== null);
    expect(newest?.lastPosition ?? null).toBe(last?.position ?? null);
    expect(newest?.lastTimestamp ?? null).toBe(last?.createdAt ?? null);
  }
  const places = (some: readonly DisplayRow[]) => some.map(({ position, rowId }) => [position, rowId]);
  expect(places(readAll(ops, path, id, 9, { hidden, contentLimit: 3 }))).toEqual(places(rows));
};

const VERSIONS = ["6", "11", "16", "23", "29", "31"];
const ACTIONS = ["append", "rewind", "compact", "rotate", "replace", "rewrite", "clear"] as const;
type Action = (typeof ACTIONS)[number];

let seeds = 1000;
const act = (path: string, id: string, tip: string, version: string, action: Action): void => {
  const options: Readonly<Record<Action, readonly string[]>> = {
    append: [id, "6", "--follow-tip"],
    rewind: [tip, "1"],
    compact: [tip, "3"],
    rotate: [tip],
    replace: [tip],
    rewrite: [tip, "1"],
    clear: [tip],
  };
  if (action === "rewind" && Number(version) < 12) return;
  if (action === "rewrite" && (describeFile(path).sessions.find((s) => s.id === tip)?.active ?? 0) === 0)
    return;
  // Another seed each time: the tool derives the ids of new sessions from it.
  mutate(path, `--${action}`, ...options[action], "--seed", String(++seeds));
};

describe("P13: a count is the length of the whole transcript", () => {
  test("after anything that other programs do, with and without cuts", () => {
    fc.assert(
      fc.property(
        fc.record({
          version: fc.constantFrom(...VERSIONS),
          seed: fc.integer({ min: 1, max: 1000 }),
          actions: fc.array(fc.constantFrom(...ACTIONS), { minLength: 2, maxLength: 4 }),
          cut: fc.tuple(
            fc.double({ min: 0, max: 1, noNaN: true }),
            fc.double({ min: 0, max: 1, noNaN: true }),
          ),
        }),
        ({ version, seed, actions, cut }) => {
          const path = make(
            ...[
              "--sessions",
              "2",
              "--messages",
              "14",
              "--lineage",
              "1",
              "--branches",
              "1",
              "--subagents",
              "1",
            ],
            ...["--compacted", "1", "--rewound", "1", "--clock-skew", "0.05", "--multimodal", "0.2"],
            ...["--schema-version", version, "--seed", String(seed), "--fts", "none"],
          );
          withOps((ops) => {
            const chained = mustRead(ops.sessionsLight(path)).find(({ segmentCount }) => segmentCount > 1);
            const [first] = describeFile(path).sessions;
            for (const id of [first?.id ?? "", chained?.id ?? ""]) {
              for (const action of actions) {
                act(path, id, mustRead(ops.segments(path, id))?.tipId ?? "", version, action);
                expectCounts(ops, path, id);
              }
              const highest = mustRead(ops.maxRowId(path, segmentsOf(ops, path, id)));
              const range = [Math.floor(cut[0] * highest), Math.floor(cut[1] * highest)] as const;
              const all = readAll(ops, path, id);
              const removed = mustRead(ops.identities(path, segmentsOf(ops, path, id), range, 10_000)) ?? [];
              const hidden = { ranges: [range], removed, floor: Math.floor(cut[0] * cut[1] * highest) };
              expectCounts(ops, path, id, hidden);
              // What is left was there before, and every row of it outside of the cut.
              for (const row of readAll(ops, path, id, 7, { hidden })) {
                expect(all.map(({ position }) => position)).toContain(row.position);
                expect(row.rowId > hidden.floor && !(range[0] < row.rowId && row.rowId <= range[1])).toBe(
                  true,
                );
              }
            }
            for (const { id } of describeFile(path).sessions) expectCounts(ops, path, id);
          });
        },
      ),
      { numRuns: 6, interruptAfterTimeLimit: 60_000 },
    );
  }, 120_000);
});

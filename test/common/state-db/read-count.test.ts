import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import type { DisplayRow, Hidden, StateDbReadOps } from "../../../common/state-db/read/port.ts";
import { alter, countAll, describeFile, make, mustRead, mutate, readAll, withOps } from "./read-files.ts";

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

describe("what makes a count hard", () => {
  const file = (version: string) => {
    const path = make("--sessions", "1", "--messages", "6", "--schema-version", version, "--fts", "none");
    return { path, id: describeFile(path).sessions[0]?.id ?? "" };
  };
  const add = (path: string, id: string, values: Record<string, unknown>): void => {
    const row = { session_id: id, role: "user", timestamp: 1_790_000_000, active: 1, ...values };
    const names = Object.keys(row);
    alter(
      path,
      `INSERT INTO messages (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`,
      ...Object.values(row),
    );
  };
  const end = "--- END OF CONTEXT SUMMARY — respond to the message below, not the summary above ---";
  const parts = (text: string): string => `\0json:${JSON.stringify([{ type: "text", text }])}`;
  const CONTENTS: readonly (readonly [string, Record<string, unknown>])[] = [
    ["blank of every kind", { content: "\u3000\ufeff\u2003\t\n \u00a0" }],
    ["text behind blanks", { content: `${" ".repeat(5000)}x` }],
    ["text behind a blank of another script", { content: "\u3000x" }],
    ["nothing", { content: null }],
    ["calls that are none", { role: "assistant", content: "", tool_calls: "[]" }],
    ["calls", { role: "assistant", content: "", tool_calls: '[{"id":"a"}]' }],
    ["calls that are no JSON", { role: "assistant", content: "", tool_calls: "[{oops" }],
    ["an empty answer of a call", { role: "tool", content: "", tool_call_id: "c" }],
    ["an empty answer of no call", { role: "tool", content: "" }],
    ["parts", { content: parts("x") }],
    ["parts that say nothing", { content: parts(" ") }],
    ["parts that cannot be decoded", { content: "\0json:[{" }],
    ["a text that only begins like a note", { content: "[Context: none]" }],
    ["a note in other letters", { content: "\n[Context Compaction] x" }],
    ["another note", { content: "[ARC SUMMARY] x" }],
    [
      "a long note that carries a text",
      { content: `[CONTEXT COMPACTION] ${"y".repeat(9000)}\n${end}\n\nhello` },
    ],
    ["a note that carries nothing", { content: `[CONTEXT COMPACTION] y\n${end}\n\n ` }],
    ["another role", { role: "session_meta", content: "x" }],
    ["bytes", { content: Buffer.from("bytes") }],
    ["a time that is none", { content: "x", timestamp: "soon" }],
  ];

  test.each(["12", "31"])("in a file of version %s", (version) => {
    const { path, id } = file(version);
    withOps((ops) => {
      for (const [at, [, values]] of CONTENTS.entries()) {
        add(path, id, { timestamp: 1_790_000_000 + at, ...values });
        expectCounts(ops, path, id);
      }
      // Twins of everything.
      for (const [at, [, values]] of CONTENTS.entries())
        add(path, id, { timestamp: 1_790_000_000 + at, ...values });
      expectCounts(ops, path, id);
      const shown = readAll(ops, path, id);
      for (const { rowId } of shown.slice(-4))
        expectCounts(ops, path, id, { ranges: [[rowId - 1, rowId]], removed: [], floor: 0 });
    });
  });

  test("flags that only newer files have", () => {
    const { path, id } = file("31");
    const flags: readonly Record<string, unknown>[] = [
      { content: "a", _compressed_summary: 1 },
      { content: "b", display_kind: "hidden" },
      { content: "c", display_metadata: '{"model_only":true}' },
      { content: "d", display_metadata: '{"model_only":false}' },
      { content: "e", active: 0 },
      { content: "f", active: 0, compacted: 1 },
      { content: "g", message_uid: "twin" },
      { content: "h", message_uid: "twin" },
    ];
    withOps((ops) => {
      for (const [at, values] of flags.entries()) add(path, id, { ...values, timestamp: 1_790_000_000 + at });
      expectCounts(ops, path, id);
      expect(
        readAll(ops, path, id)
          .slice(-4)
          .map(({ content }) => content),
      ).toEqual(["d", "f", "g", "h"]);
    });
  });

  test("removed texts longer than what is looked at are recognised", () => {
    const { path, id } = file("16");
    const content = "long ".repeat(200);
    add(path, id, { content });
    add(path, id, { content: "kept", timestamp: 1_790_000_000.5 });
    withOps((ops) => {
      const [first, second] = readAll(ops, path, id).slice(-2);
      const range = [(first?.rowId ?? 1) - 1, first?.rowId ?? 0] as const;
      const removed = mustRead(ops.identities(path, [id], range, 10)) ?? [];
      alter(path, "DELETE FROM messages WHERE id = ?", first?.rowId);
      add(path, id, { content });
      const hidden = { ranges: [], removed, floor: 0 };
      expectCounts(ops, path, id, hidden);
      expect(readAll(ops, path, id, 7, { hidden }).at(-1)?.content).toBe(second?.content);
      expect(readAll(ops, path, id).at(-1)?.content).toBe(content);
    });
  });
});

describe("what new rows added", () => {
  const start = (version: string) => {
    const path = make("--sessions", "2", "--messages", "20", "--schema-version", version, "--fts", "none");
    return { path, id: describeFile(path).sessions[0]?.id ?? "" };
  };

  test.each(VERSIONS)("version %s", (version) => {
    const { path, id } = start(version);
    withOps((ops) => {
      let counted = readAll(ops, path, id).length;
      const expectAdded = (expected: "told" | null, after: number): void => {
        const segments = segmentsOf(ops, path, id);
        const added = mustRead(ops.countAfter(path, segments, after));
        const now = readAll(ops, path, id).length;
        expect(added).toBe(expected === null ? null : now - counted);
        counted = now;
      };
      const highest = (): number => mustRead(ops.maxRowId(path, segmentsOf(ops, path, id)));
      expectAdded("told", highest());
      let before = highest();
      mutate(path, "--append", id, "7");
      expectAdded("told", before);
      before = highest();
      mutate(path, "--rotate", id);
      expectAdded(null, before);
      before = highest();
      mutate(path, "--append", id, "3", "--follow-tip");
      expectAdded("told", before);
      before = highest();
      mutate(path, "--replace", segmentsOf(ops, path, id).at(-1) ?? "");
      expectAdded(null, before);
      before = highest();
      mutate(path, "--append", id, "501", "--follow-tip", "--per-commit", "501");
      expectAdded(null, before);
    });
  });

  test("a row that is not newer is no news that can be told; a hidden one adds nothing", () => {
    const { path, id } = start("31");
    withOps((ops) => {
      const before = mustRead(ops.maxRowId(path, [id]));
      mutate(path, "--append", id, "4");
      const hidden = { ranges: [], removed: [], floor: before + 3 };
      expect(mustRead(ops.countAfter(path, [id], before, { hidden }))).toBe(
        readAll(ops, path, id, 7, { hidden }).length,
      );
      alter(path, "UPDATE messages SET timestamp = 1 WHERE id = (SELECT MAX(id) FROM messages)");
      expect(mustRead(ops.countAfter(path, [id], before))).toBeNull();
      expect(mustRead(ops.countAfter(path, [id], 0))).toBe(readAll(ops, path, id).length);
    });
  });
});

describe("a session of 200,000 rows", () => {
  const path = make("--sessions", "1", "--big", "200000", "--fts", "none");
  const id = describeFile(path).sessions[0]?.id ?? "";

  test("is counted in steps that each look at no more rows than they may", () => {
    withOps((ops) => {
      const { count, steps } = countAll(ops, path, [id], 5_000);
      expect(count).toBe(200_000);
      expect(steps.length).toBeGreaterThanOrEqual(40);
      expect(Math.max(...steps.map((step) => step.count))).toBeLessThanOrEqual(5_000);
      expect(
        steps.slice(0, -1).every(({ next }, at) => (next ?? 0) < (steps[at - 1]?.next ?? Infinity)),
      ).toBe(true);
    });
  });

  test("once cleared is not walked through: what is left comes in one step and one page", () => {
    withOps((ops) => {
      const hidden = { ranges: [[0, 199_990] as const], removed: [], floor: 0 };
      // A step of these few rows would not get through the cleared ones.
      expect(mustRead(ops.countDisplay(path, [id], { limit: 11, hidden }))).toMatchObject({
        count: 10,
        next: null,
      });
      const page = mustRead(ops.displayPage(path, [id], { limit: 50, hidden }));
      expect(page.rows.map(({ rowId }) => rowId)).toEqual(
        Array.from({ length: 10 }, (_, at) => 199_991 + at),
      );
      expect(page.nextBefore).toBeNull();
      const all = { ...hidden, floor: 200_000 };
      expect(mustRead(ops.countDisplay(path, [id], { limit: 1, hidden: all }))).toEqual({
        count: 0,
        next: null,
        lastPosition: null,
        lastTimestamp: null,
      });
      expect(mustRead(ops.lastDisplay(path, [id], { hidden: all }))).toBeNull();
      // A step that may look at nothing would never end: it looks at one row.
      expect(mustRead(ops.countDisplay(path, [id], { limit: 0 }))).toMatchObject({ count: 1, next: 200_000 });
      expect(mustRead(ops.modelRows(path, id, { hidden })).rows).toHaveLength(10);
    });
  });
});

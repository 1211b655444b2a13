import { expect, test } from "@jest/globals";
import { identitiesOf } from "../../../common/reconcile/identity.ts";
import { merge } from "../../../common/reconcile/merge.ts";
import { answer, call, type Edge, result, trace, user } from "./rows.ts";

const stoppedTurn = [
  user("q", 1),
  answer("par", 4, { _partial: true }),
  answer("Task cancelled.", 8, { _error: true }),
];
const kept = [user("a", 1), answer("b", 5)];

const EDGES: readonly Edge[] = [
  [
    "what bookkeeping roles say is not shown (R22)",
    [],
    [{ role: "system", content: "x" }, { role: "session_meta" }],
    "",
  ],
  [
    "hidden and model-only rows are not shown (R22)",
    [],
    [
      user("x", 1, { display_kind: "hidden" }),
      user("x", 2, { display_metadata: { model_only: true } }),
      user("x", 3, { display_metadata: JSON.stringify('{"model_only":true}') }),
    ],
    "",
  ],
  [
    "summaries are not shown, by flag or by text (R22, a.8)",
    [],
    [user("notes", 1, { _compressed_summary: 1 }), user("\n[context Compaction — x]", 2)],
    "",
  ],
  [
    "an empty answer is not shown, an empty result is (R22)",
    [],
    [answer(" ", 1), result("", 2, "c"), result("", 3)],
    "D1",
  ],
  [
    "local rows of these kinds stay (R1, R22)",
    [{ role: "system", content: "note" }, answer("", 1)],
    [],
    "L0 L1",
  ],
  [
    "rows older than the local head are not put in front (R18)",
    [user("c", 40)],
    [user("a", 1), user("c", 40), user("d", 41)],
    "L0 D2",
  ],
  [
    "a row as old as the head is inside the window (R18)",
    [answer("b", 1)],
    [user("a", 1), answer("b", 1)],
    "D0 L0",
  ],
  ["without a clock a row does not go in front (R18)", [user("c", 40)], [user("a"), user("c", 40)], "L0"],
  [
    "the head's own pair is the clock, not the local one (R18)",
    [user("c", 40, { id: "x" })],
    [user("a", 70), user("c", 60, { id: "x" })],
    "D0 L0",
  ],
  [
    "a later local time stands in for a head without one (R18)",
    [answer("n"), user("c", 40)],
    [user("a", 5)],
    "L0 L1",
  ],
  [
    "a caller with both sides complete has no window (R18)",
    [user("c", 40)],
    [user("a", 1), user("c", 40)],
    "D0 L0",
    { window: false },
  ],
  [
    "a lost answer goes into its gap (R15)",
    [user("a", 1), user("c", 9)],
    [user("a", 1), answer("b", 5), user("c", 9)],
    "L0 D1 L1",
  ],
  [
    "store order decides, not the clock (R15)",
    [user("a", 100), user("c", 300)],
    [user("a", 100), answer("b", 5), user("c", 300), user("d", 2)],
    "L0 D1 L1 D3",
  ],
  [
    "local rows stay around what is inserted (R1)",
    [user("a", 1), answer("note", 3), user("c", 9)],
    [user("a", 1), answer("b", 5), user("c", 9)],
    "L0 L1 D1 L2",
  ],
  [
    "local order is never changed (R1)",
    [user("b", 9), answer("a", 1)],
    [answer("a", 1), user("b", 9)],
    "L0 L1",
  ],
  [
    "without a time a row goes to the end of its gap (R15)",
    [user("a", 1), answer("n", 3), user("c", 9)],
    [user("a", 1), answer("b"), user("c", 9)],
    "L0 L1 D1 L2",
  ],
  ["a prompt goes before its answer of the same time (R16)", [answer("b", 5)], [user("a", 5)], "D0 L0"],
  [
    "a prompt goes behind an answered turn of the same time (R16)",
    [user("a", 5), answer("b", 5), user("c", 5)],
    [user("x", 5)],
    "L0 L1 D0 L2",
  ],
  ["a bare call goes before the answer of the same time (R16)", [answer("b", 5)], [call(["c"], 5)], "D0 L0"],
  [
    "a result of the same time goes behind its call (R17)",
    [call(["c"], 5), answer("b", 5)],
    [call(["c"], 5), result("r", 5, "c")],
    "L0 D1 L1",
  ],
  [
    "nothing goes between a call and its result (R17)",
    [call(["c"], 1), result("r", 9, "c"), answer("b", 20)],
    [user("x", 5)],
    "L0 L1 D0 L2",
  ],
  [
    "a lost second result joins its block (R17)",
    [call(["c", "d"], 1), result("r", 3, "c"), answer("b", 20)],
    [call(["c", "d"], 1), result("r", 3, "c"), result("s", 90, "d"), answer("b", 20)],
    "L0 L1 D2 L2",
  ],
  [
    "a lost result stays with its call although a notice is older (R17, P7)",
    [call(["c"], 1), answer("note", 2), answer("b", 20)],
    [call(["c"], 1), result("r", 9, "c"), answer("b", 20)],
    "L0 D1 L1 L2",
  ],
  [
    "a lost call goes in front of its result, others behind it (R17)",
    [user("a", 1), result("r", 9, "c"), answer("b", 20)],
    [user("a", 1), call(["c"], 5), answer("x", 6), result("r", 9, "c"), answer("b", 20)],
    "L0 D1 L1 D2 L2",
  ],
  [
    "late output of a stopped run stays out (R21)",
    stoppedTurn,
    [user("q", 1), answer("late", 12), call(["c"], 13)],
    "L0 L1 L2",
  ],
  [
    "a prompt after a stop is shown with its answer (R21)",
    stoppedTurn,
    [user("q", 1), answer("late", 12), user("r", 20), answer("s", 21)],
    "L0 L1 L2 D2 D3",
  ],
  [
    "a prompt never splits a stopped turn (R21)",
    stoppedTurn,
    [user("q", 1), answer("late", 5), user("r", 6), answer("s", 7)],
    "L0 L1 L2 D2 D3",
  ],
  [
    "an error without a fragment stops nothing (R21)",
    [user("q", 1), answer("529", 4, { _error: true })],
    [user("q", 1), answer("later", 12)],
    "L0 L1 D1",
  ],
  [
    "a stopped turn whose prompt the store lacks blocks after the last pair (R21)",
    [user("p", 0), answer("o", 0.5), ...stoppedTurn],
    [user("p", 0), answer("o", 0.5), answer("late", 12), user("r", 20)],
    "L0 L1 L2 L3 L4 D3",
  ],
  [
    "after an undo the removed rows stay away (R20)",
    kept,
    [...kept, user("c", 8), answer("d", 9)],
    "L0 L1",
    { truncation_watermark: 5, truncation_boundary: 5 },
  ],
  ["after a clear nothing returns (R20)", [], kept, "", { truncation_watermark: 0 }],
  ["a mark of 0 as text is a clear as well (R20, R24)", [], kept, "", { truncation_watermark: "0" }],
  [
    "after a clear and a new turn later rows are new (R20)",
    [user("c", 40)],
    [...kept, user("c", 40), answer("d", 41)],
    "L0 D3",
    { truncation_watermark: 0, truncation_boundary: 0 },
  ],
  [
    "without local rows the kept prefix returns (R20)",
    [],
    [...kept, user("c", 8)],
    "D0 D1",
    { truncation_watermark: 5 },
  ],
  [
    "without local rows an advanced mark leaves the middle out (R20)",
    [],
    [...kept, user("c", 8), user("e", 40), answer("f")],
    "D0 D1 D3",
    { truncation_watermark: 40, truncation_boundary: 5 },
  ],
  [
    "a row without a time never crosses a mark (R20)",
    kept,
    [...kept, user("gone")],
    "L0 L1",
    { truncation_watermark: 5, truncation_boundary: 5 },
  ],
  [
    "the answer to an edited prompt returns, the edited pair does not (R20)",
    [...kept, user("e", 40)],
    [...kept, user("c", 8), answer("d", 40), user("e", 40), answer("f", 40)],
    "L0 L1 L2 D5",
    { truncation_watermark: 40, truncation_boundary: 5 },
  ],
  [
    "a null mark is no mark (R20)",
    kept,
    [...kept, user("c", 8)],
    "L0 L1 D2",
    { truncation_watermark: null, truncation_boundary: null },
  ],
  [
    "rows inside a cut are out for ever, later ids are new (c.7)",
    [user("a", 1, { _row_id: 1 })],
    [
      user("a", 1, { _row_id: 1 }),
      user("gone", 2, { _row_id: 2 }),
      user("gone too", 3, { _row_id: 3 }),
      user("new", 2.5, { _row_id: 4 }),
    ],
    "L0 D3",
    { cuts: [{ keepThroughRowId: 1, cutRowId: 3 }] },
  ],
  [
    "a clear cuts everything up to its row id (c.7)",
    [],
    [user("a", 1, { _row_id: 1 }), user("b", 2, { _row_id: 2 })],
    "D1",
    { cuts: [{ keepThroughRowId: 0, cutRowId: 1 }] },
  ],
  [
    "a compaction copy of a removed row stays away (c.7)",
    kept,
    [
      ...kept,
      user("gone", 8, { _row_id: 90 }),
      user("also gone, rewritten", 9, { _row_id: 91, message_uid: "u" }),
      user("new", 9, { _row_id: 92 }),
    ],
    "L0 L1 D4",
    {
      cuts: [
        {
          keepThroughRowId: 2,
          cutRowId: 4,
          removed: [user("gone", 8), user("also gone", 9, { message_uid: "u" })].flatMap(identitiesOf),
        },
      ],
    },
  ],
];

// A rest parameter: with a named one for `options` Jest would take it for a callback where a line has none.
test.each(EDGES)("%s", (...[_name, sidecar, store, expected, options]) => {
  expect(trace(sidecar, store, options)).toBe(expected);
});

test("what a local row lacks is filled, what it has stays (R23)", () => {
  const [row] = merge(
    [answer("a", 1, { _turnTps: 3, _usedModel: null })],
    [
      answer("a", 1, {
        _turnTps: 9,
        _usedModel: "m",
        _turnUsage: { input: 1 },
        api_content: "wire",
        other: 1,
      }),
    ],
  );
  expect(row).toEqual(
    answer("a", 1, { _turnTps: 3, _usedModel: "m", _turnUsage: { input: 1 }, api_content: "wire" }),
  );
});

test("the wire text is not attached to tool rows (R23)", () => {
  expect(merge([result("a", 1, "c")], [result("a", 1, "c", { api_content: "w" })])).toEqual([
    result("a", 1, "c"),
  ]);
});

test("a fragment takes the settled text and keeps its own time (R12)", () => {
  const settled = merge(
    [user("q", 1), answer("The q", 2, { _partial: true, mid: "m1" })],
    [user("q", 1), answer("The quick fox.", 9)],
  );
  expect(settled).toEqual([user("q", 1), answer("The quick fox.", 2, { mid: "m1" })]);
});

test("a fragment of a stopped turn stays a fragment (R21)", () => {
  const merged = merge(stoppedTurn, [user("q", 1), answer("partial and more", 12)]);
  expect(merged).toEqual(stoppedTurn);
});

test("the text of a legacy row stays, though the store rewrote it (c.4)", () => {
  expect(merge([answer("mine", 1, { _row_id: 5 })], [answer("theirs", 1, { _row_id: 5 })])).toEqual([
    answer("mine", 1, { _row_id: 5 }),
  ]);
});

test("inserted rows keep every field, unknown ones too (c.1)", () => {
  const row = answer("a", "7", { strange: [1, { deep: true }], finish_reason: "stop" });
  expect(merge([], [row])).toEqual([row]);
});

test("a removed row does not return once a merged answer is newer than the mark (R20, P2, P8)", () => {
  const marks = { truncation_watermark: 40, truncation_boundary: 5 };
  const store = [...kept, answer("stale", 48), user("e", 40), answer("f", 44)];
  const merged = merge([...kept, user("e", 40)], store, marks);
  expect(merged).toEqual([...kept, user("e", 40), answer("f", 44)]);
  expect(merge(merged, [...store, user("g", 60)], marks)).toEqual([...merged, user("g", 60)]);
});

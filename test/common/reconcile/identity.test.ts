import { expect, test } from "@jest/globals";
import { answer, call, type Edge, result, toolCall, trace, user } from "./rows.ts";

const image = { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } };

const EDGES: readonly Edge[] = [
  ["an empty sidecar shows the store (R2)", [], [user("a", 1), answer("b", 2)], "D0 D1"],
  ["an empty store leaves the sidecar alone (R1)", [user("a", 1)], [], "L0"],
  ["values that are no objects are skipped (c.1)", [null, "x", user("a", 1)], [7, user("a", 1), []], "L2"],
  ["a time as text is a number (R24)", [user("a", "1000")], [user("a", 1000.4)], "L0"],
  [
    "ISO-8601 with a zone is a time (R24)",
    [user("a", "2026-01-01T01:00:00+01:00")],
    [user("a", 1767225601)],
    "L0",
  ],
  [
    "ISO-8601 without a zone is no time and pairs by order (R24, R7)",
    [user("a", "2026-01-01T01:00:00")],
    [user("a", 5)],
    "L0",
  ],
  ["0 is a time, far from 9 (R24)", [user("a", 0)], [user("a", 9)], "L0 D0"],
  ["a boolean is no time (R24, R7)", [user("a", true)], [user("a", 9)], "L0"],
  ["two clocks two seconds apart are one message (R6)", [user("a", 10)], [user("a", 12)], "L0"],
  ["more than two seconds apart are two (R6)", [user("a", 10)], [user("a", 12.1)], "L0 D0"],
  [
    "the nearest local row is taken, a tie takes the earlier one (R6)",
    [user("a", 10), user("a", 12)],
    [user("a", 11), user("a", 11.9)],
    "L0 L1",
  ],
  ["each row pairs once (R9)", [user("ok", 1)], [user("ok", 1), user("ok", 1.5, { id: "x" })], "L0 D1"],
  [
    "clockless rows pair after the last paired one (R7)",
    [user("ok"), answer("one", 5), user("ok"), answer("two", 10)],
    [answer("one", 5), user("ok", 7), answer("two", 10), user("ok", 20)],
    "L0 L1 L2 L3",
  ],
  ["letter case is content (R5)", [user("deploy", 1)], [user("Deploy", 1)], "L0 D0"],
  ["a prompt contained in another is a prompt (R5)", [user("keep going", 1)], [user("k", 2)], "L0 D0"],
  ["punctuation is content for prompts (R5)", [user("go", 1)], [user("go!", 1)], "L0 D0"],
  ["white space and line ends are not content (R5)", [user("a \r\n\t b", 1)], [user(" a b\n", 1)], "L0"],
  [
    "text parts equal their joined text (R5)",
    [user([{ type: "text", text: "a" }, "b"], 1)],
    [user("a\nb", 1)],
    "L0",
  ],
  [
    "sentinel content is decoded, in any script (R5)",
    [user([{ type: "text", text: "Привет" }], 1)],
    [user('\u0000json:[{"type":"text","text":"\\u041f\\u0440\\u0438\\u0432\\u0435\\u0442"}]', 1)],
    "L0",
  ],
  [
    "undecodable sentinel text stands for itself (a.3)",
    [user("\u0000json:{", 1)],
    [user("\u0000json:{", 1)],
    "L0",
  ],
  [
    "an object equals itself in any key order (R5)",
    [user([{ type: "file", name: "a", size: 1 }], 1)],
    [user([{ size: 1, name: "a", type: "file" }], 1)],
    "L0",
  ],
  [
    "calls as text, encoded twice, equal the list (R5)",
    [answer("x", 1, { tool_calls: [{ type: "function", function: { name: "t", arguments: "{}" } }] })],
    [
      answer("x", 1, {
        tool_calls: JSON.stringify('[{"function":{"arguments":"{}","name":"t"},"type":"function"}]'),
      }),
    ],
    "L0",
  ],
  [
    "empty calls are no calls (R5)",
    [answer("x", 1, { tool_calls: [] })],
    [answer("x", 1, { tool_calls: "[]" })],
    "L0",
  ],
  [
    "call ids beat times and text (R4)",
    [call(["c1"], 1)],
    [{ ...call(["c1"], 900), content: "Looking." }],
    "L0",
  ],
  ["part of a call list proves nothing (R4)", [call(["c1"], 1)], [call(["c1", "c2"], 1)], "L0 D0"],
  [
    "a shortened tool result is the same result (R4)",
    [result("sh…", 1, "c1")],
    [result("short", 500, "c1")],
    "L0",
  ],
  [
    "equal output of another call is another result (R4)",
    [result("{}", 1, "c1")],
    [result("{}", 1, "c2")],
    "L0 D0",
  ],
  [
    "a missing tool name contradicts nothing (R5)",
    [result("x", 1)],
    [result("x", 1, "c", { tool_name: "t" })],
    "L0",
  ],
  [
    "two tool names contradict (R5)",
    [result("x", 1, undefined, { tool_name: "t" })],
    [result("x", 1, undefined, { name: "u" })],
    "L0 D0",
  ],
  [
    "equal logical ids beat text, time and row id (R3)",
    [user("a", 1, { message_uid: "u", _row_id: 1 })],
    [user("a!", 99, { message_uid: "u", _row_id: 2 })],
    "L0",
  ],
  [
    "unequal logical ids are two messages (R3)",
    [user("a", 1, { message_uid: "u" })],
    [user("a", 1, { message_uid: "v" })],
    "L0 D0",
  ],
  [
    "unequal platform ids are two messages (R3)",
    [user("a", 1, { platform_message_id: "1" })],
    [user("a", 1, { platform_message_id: "2" })],
    "L0 D0",
  ],
  [
    "unequal row ids at unequal times are two messages (R3)",
    [user("a", 1, { _db_row_id: 1 })],
    [user("a", 1.5, { state_db_row_id: 2 })],
    "L0 D0",
  ],
  [
    "unequal row ids at one exact time are a compaction copy (R3)",
    [user("a", 1, { _db_row_id: 1 })],
    [user("a", 1, { state_db_row_id: 2 })],
    "L0",
  ],
  ["unequal generic ids prove nothing (R3)", [user("a", 1, { id: "w" })], [user("a", 1, { id: 17 })], "L0"],
  ["7 and '7' are one id (R3)", [user("a", 1, { id: 7 })], [user("b", 90, { message_id: "7" })], "L0"],
  [
    "an id that two rows carry pairs nothing (R3)",
    [user("a", 1, { id: "x" }), user("b", 2, { id: "x" })],
    [user("c", 50, { id: "x" })],
    "L0 L1 D0",
  ],
  ["an id pairs only equal roles (R3)", [user("a", 1, { id: "x" })], [answer("a", 1, { id: "x" })], "L0 D0"],
  [
    "the workspace line is not content (R10)",
    [user("hi", 1)],
    [user("[Workspace::v1: /a/[b] c]\nhi", 1)],
    "L0",
  ],
  [
    "the workspace line of a local row is content (R10)",
    [user("[Workspace: /a]\nhi", 1)],
    [user("hi", 1)],
    "L0 D0",
  ],
  ["answers keep their workspace line (R10)", [answer("hi", 1)], [answer("[Workspace: /a]\nhi", 1)], "L0 D0"],
  [
    "attached files on either side are not content (R10)",
    [user("a\n\n[Attached files: x.pdf]", 1), user("b", 5)],
    [user("a", 1), user("[Workspace: /w]\nb\n[Attached files: y.pdf]", 5)],
    "L0 L1",
  ],
  [
    "a picture equals its projection at one instant (R11)",
    [user(["x", image], 1)],
    [user("x\n[screenshot]", 1)],
    "L0",
  ],
  [
    "a picture at another instant is another (R11)",
    [user(["x", image], 1)],
    [user("x\n[screenshot]", 1.5)],
    "L0 D0",
  ],
  [
    "a restamped pair of rows is a copy (R8)",
    [user("a", 1), answer("b", 2)],
    [user("a", 901), answer("b", 902)],
    "L0 L1",
  ],
  ["one lone far copy is a new message (R8)", [user("a", 1), answer("b", 2)], [user("a", 901)], "L0 L1 D0"],
  [
    "a row that fits no local neighbour ends the run (R8)",
    [user("a", 1), answer("b", 2), user("c", 3), answer("d", 4)],
    [user("a", 901), answer("d", 902)],
    "L0 L1 L2 L3 D0 D1",
  ],
  [
    "rows paired far apart by call id count as members (R8)",
    [user("a", 1), call(["c"], 2), result("r", 3, "c"), answer("b", 4)],
    [user("a", 901), call(["c"], 902), result("r", 903, "c"), answer("b", 904)],
    "L0 L1 L2 L3",
  ],
  [
    "a summary inside a run is skipped (R8)",
    [user("a", 1), answer("b", 2)],
    [user("a", 901), user("[CONTEXT COMPACTION] x", 901.5), answer("b", 902)],
    "L0 L1",
  ],
  [
    "a row that is not shown ends the run (R8)",
    [user("a", 1), answer("b", 2)],
    [user("a", 901), user("x", 901.5, { display_kind: "hidden" }), answer("b", 902)],
    "L0 L1 D0 D2",
  ],
  [
    "local cards do not break a run (R8)",
    [user("a", 1), answer("Switched.", 1.5, { _statusCard: { kind: "model" } }), answer("b", 2)],
    [user("a", 901), answer("b", 902)],
    "L0 L1 L2",
  ],
  [
    "an answer that contains the local one is the same answer (R12)",
    [user("q", 1), answer("The quick brown fox jumps over", 5)],
    [user("q", 1), answer("The quick, brown fox jumps over the lazy dog.", 50)],
    "L0 L1",
  ],
  [
    "short answers are not compared loosely (R12)",
    [user("q", 1), answer("Done", 5)],
    [user("q", 1), answer("Done with everything.", 50)],
    "L0 L1 D1",
  ],
  [
    "loose comparison stays inside one turn (R12)",
    [user("q", 1), answer("one", 2), user("r", 60), answer("The quick brown fox jumps over", 61)],
    [user("q", 1), answer("The quick brown fox jumps over!", 30), user("r", 60)],
    "L0 L1 D1 L2 L3",
  ],
  [
    "copies in the store are one row (R13)",
    [],
    [user("a", 1), answer("b", 2), user("a", 1), answer("b", 2)],
    "D0 D1",
  ],
  [
    "one logical id is one message, whatever its text (R13)",
    [],
    [user("a", 1, { message_uid: "u" }), user("b", 9, { message_uid: "u" })],
    "D0",
  ],
  [
    "unequal platform or generic ids keep equal rows apart (R13)",
    [],
    [user("ok", 1, { platform_message_id: "1" }), user("ok", 1, { platform_message_id: "2" }), user("ok", 1)],
    "D0 D1",
  ],
  [
    "a prompt written twice at once is one (R14)",
    [],
    [user("a", 1), user("a ", 1.2), answer("b", 2)],
    "D0 D2",
  ],
  ["a prompt sent again later is another (R14)", [], [user("a", 1), user("a", 1.3)], "D0 D1"],
  [
    "an echo has no id of its own (R14)",
    [],
    [user("a", 1), user("a", 1.1, { platform_message_id: "2" })],
    "D0 D1",
  ],
];

// A rest parameter: with a named one for `options` Jest would take it for a callback where a line has none.
test.each(EDGES)("%s", (...[_name, sidecar, store, expected, options]) => {
  expect(trace(sidecar, store, options)).toBe(expected);
});

test("a call without ids pairs by content (R4, R5)", () => {
  const { id: _id, ...bare } = toolCall("c");
  expect(trace([answer("", 1, { tool_calls: [bare] })], [answer(null, 2, { tool_calls: [bare] })])).toBe(
    "L0",
  );
});

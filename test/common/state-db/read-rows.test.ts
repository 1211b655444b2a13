import { describe, expect, test } from "@jest/globals";
import { MessageSchema } from "../../../common/contracts/message.ts";
import {
  asCarried,
  decodeRow,
  type RawRow,
  toMergeRow,
  toMessage,
} from "../../../common/state-db/read/rows.ts";

const raw = (more: RawRow = {}): RawRow => ({
  id: 7,
  session_id: "ses_1",
  role: "user",
  content: "hello",
  timestamp: 1_790_000_000.25,
  active: 1,
  compacted: 0,
  ...more,
});
const parts = [
  { type: "text", text: "look" },
  { type: "image_url", image_url: { url: "data:image/png;base64,AA" } },
];
const call = { id: "call_1", type: "function", function: { name: "terminal", arguments: '{"n":1}' } };

describe("content", () => {
  test("encoded parts become text and parts; as stored it is kept for comparisons", () => {
    const stored = `\0json:${JSON.stringify(parts)}`;
    expect(decodeRow(raw({ content: stored }))).toMatchObject({
      content: "look\n[screenshot]",
      parts,
      rawContent: stored,
    });
  });

  test("encoded text that cannot be decoded is shown as it is", () => {
    const row = decodeRow(raw({ content: '\0json:[{"type":' }));
    expect(row).toMatchObject({ content: '\0json:[{"type":', displayable: true });
    expect(row.parts).toBeUndefined();
  });

  test("an encoded object, and strings among the parts, are parts too", () => {
    expect(decodeRow(raw({ content: '\0json:{"type":"text","text":"one"}' })).content).toBe("one");
    expect(decodeRow(raw({ content: '\0json:["a",null,"b"]' })).parts).toEqual([
      { type: "text", text: "a" },
      { type: "text", text: "b" },
    ]);
  });

  test("NULL reads as an empty text, bytes as text", () => {
    expect(decodeRow(raw({ content: null }))).toMatchObject({ content: "", rawContent: null });
    expect(decodeRow(raw({ content: Buffer.from("☃") })).content).toBe("☃");
  });
});

describe("tool calls", () => {
  test.each([
    ["a list", JSON.stringify([call]), [call]],
    ["a list encoded twice", JSON.stringify(JSON.stringify([call])), [call]],
    ["one call without a list", JSON.stringify(call), [call]],
    [
      "arguments as an object",
      JSON.stringify([{ id: "call_1", function: { name: "terminal", arguments: { n: 1 } } }]),
      [call],
    ],
    [
      "text that is no JSON",
      "terminal(1",
      [{ id: "", type: "function", function: { name: "unknown", arguments: "terminal(1" } }],
    ],
  ])("%s", (_name, stored, expected) => {
    const row = decodeRow(raw({ role: "assistant", content: "", tool_calls: stored }));
    expect(row.toolCalls).toEqual(expected);
    expect(row.rawCalls).toBe(stored);
    expect(row.displayable).toBe(true);
  });

  test.each([null, "", "[]", "{}", "null"])("%j is none", (stored) => {
    const row = decodeRow(raw({ role: "assistant", content: "", tool_calls: stored }));
    expect(row.toolCalls).toBeUndefined();
    expect(row.displayable).toBe(false);
  });
});

describe("who sees a row", () => {
  test.each<[string, RawRow, boolean]>([
    ["a prompt", {}, true],
    ["active is NULL", { active: null }, true],
    ["rewound", { active: 0 }, false],
    ["archived by compaction", { active: 0, compacted: 1 }, true],
    ["another role", { role: "session_meta" }, false],
    ["hidden", { display_kind: "hidden" }, false],
    ["for the model only", { display_metadata: '{"model_only":true}' }, false],
    ["for the model only, encoded twice", { display_metadata: '"{\\"model_only\\":true}"' }, false],
    ["metadata that is no JSON", { display_metadata: "{oops" }, true],
    ["a summary by flag", { _compressed_summary: 1 }, false],
    ["a summary by its text", { content: "  [Context Compaction] Earlier turns" }, false],
    [
      "the task list of a compaction",
      {
        content: "[Your active task list was preserved across context compression]\n- [ ] a",
      },
      false,
    ],
    ["blank", { content: " \n " }, false],
    ["reasoning alone", { role: "assistant", content: null, reasoning: "hm" }, false],
    ["an empty result of a call", { role: "tool", content: "", tool_call_id: "call_1" }, true],
    ["an overheard row", { observed: 1 }, true],
  ])("%s", (_name, more, expected) => {
    expect(decodeRow(raw(more)).displayable).toBe(expected);
  });
});

test("a summary that carries a message says which; shown as that, it is a row like any other", () => {
  const row = decodeRow(
    raw({
      _compressed_summary: 1,
      api_content: "wire",
      content:
        "[CONTEXT COMPACTION] long ago\n\n--- END OF CONTEXT SUMMARY — respond to the message below, not the summary above ---\n\nand now this",
    }),
  );
  expect(row.carried).toBe("and now this");
  const shown = asCarried(row, row.carried ?? "");
  expect(shown).toMatchObject({ content: "and now this", summary: false, displayable: true });
  expect(toMergeRow(shown)).not.toHaveProperty("_compressed_summary");
});

test("a time that is no number is no time", () => {
  expect(decodeRow(raw({ timestamp: "soon" })).createdAt).toBeNull();
  expect(decodeRow(raw({ timestamp: "12.5" })).createdAt).toBe(12.5);
});

test("a row becomes a Message of the contract, and a row of the merge", () => {
  const row = decodeRow(
    raw({
      role: "assistant",
      content: "Done.",
      tool_calls: JSON.stringify([call]),
      reasoning: "think",
      message_uid: "u1",
      platform_message_id: "p1",
      api_content: "secret wire",
    }),
  );
  const message = toMessage(row, { id: "m7", sessionId: "ses_1", origin: "cli" });
  expect(MessageSchema.parse(message)).toEqual({
    id: "m7",
    session_id: "ses_1",
    run_id: null,
    role: "assistant",
    content: "Done.",
    reasoning: "think",
    tool_calls: [call],
    status: "complete",
    origin: "cli",
    created_at: 1_790_000_000.25,
  });
  expect(toMergeRow(row)).toEqual({
    _state_db_row_id: 7,
    role: "assistant",
    content: "Done.",
    timestamp: 1_790_000_000.25,
    message_uid: "u1",
    platform_message_id: "p1",
    tool_calls: JSON.stringify([call]),
    api_content: "secret wire",
  });
});

import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { type LegacyPlan, planLegacyImport } from "../../../common/exchange/hermes-webui/plan.ts";
import type { LegacySession } from "../../../common/exchange/hermes-webui/read.ts";
import { importDigest, toImportSession } from "../../../common/exchange/hermes-webui/session.ts";
import { decodeRow, type StateRow } from "../../../common/state-db/read/rows.ts";

const sessionOf = (messages: readonly unknown[], given: Partial<LegacySession> = {}): LegacySession => ({
  id: "s1",
  title: null,
  profile: null,
  model: null,
  workspace: null,
  pinned: false,
  archived: false,
  createdAt: 50,
  updatedAt: null,
  snapshot: false,
  messages,
  pending: null,
  truncationWatermark: undefined,
  truncationBoundary: undefined,
  ...given,
});

const stored = (id: number, role: string, content: string, timestamp: number, more: object = {}): StateRow =>
  decodeRow({ id, session_id: "s1", role, content, timestamp, active: 1, ...more });

const plan = (
  messages: readonly unknown[],
  storeRows: readonly StateRow[] = [],
  given: Partial<LegacySession> = {},
): LegacyPlan =>
  planLegacyImport({
    session: sessionOf(messages, given),
    profile: "default",
    storeId: "s1",
    storeRows,
    maxRowId: storeRows.at(-1)?.rowId ?? 0,
    storeOrigin: "api_server",
  });

const said = ({ rows }: LegacyPlan): string[] => rows.map(({ role, content }) => `${role}: ${content}`);
const user = (content: string, timestamp: number, more: object = {}) => ({
  role: "user",
  content,
  timestamp,
  ...more,
});
const assistant = (content: string, timestamp: number, more: object = {}) => ({
  ...user(content, timestamp, more),
  role: "assistant",
});

describe("the plan of an import", () => {
  test("pairs what is on both sides, adds what only the store has, keeps what only the file has", () => {
    const result = plan(
      [user("hi", 100, { id: "m-1" }), assistant("hello", 101), user("only here", 102)],
      [
        stored(7, "user", "hi", 100, { message_uid: "u7" }),
        stored(8, "assistant", "hello", 101.5, { reasoning: "greet" }),
        stored(9, "user", "from outside", 200),
        stored(12, "assistant", "answered outside", 201, { message_uid: "u12" }),
      ],
    );
    expect(said(result)).toEqual([
      "user: hi",
      "assistant: hello",
      "user: only here",
      "user: from outside",
      "assistant: answered outside",
    ]);
    expect(result.rows.map(({ rowId, uid, origin }) => [rowId, uid, origin])).toEqual([
      [7, "u7", "webui"],
      [8, null, "webui"],
      [null, null, "webui"],
      [9, null, "api_server"],
      [12, "u12", "api_server"],
    ]);
    expect(result.rows[1]?.reasoning).toBe("greet");
    expect(result.rows.every(({ id }) => /^imp_[0-9a-f]{32}$/.test(id))).toBe(true);
    expect([result.baseCursor, result.counts]).toEqual([
      12,
      { merged: 2, fromStore: 2, localOnly: 1, leftOut: 0 },
    ]);
  });

  test("names each message as before, whatever came to the store and whatever was appended to the file", () => {
    const first = [user("hi", 100, { id: "m-1" }), assistant("hello", 101), user("x", 102, { id: "m-1" })];
    const before = plan(first);
    const after = plan([...first, user("more", 300)], [stored(7, "user", "hi", 100)]);
    expect(new Set(before.rows.map(({ id }) => id)).size).toBe(3);
    // The doubled id names nobody: adding to the file does not change that.
    expect(after.rows.slice(0, 3).map(({ id }) => id)).toEqual(before.rows.map(({ id }) => id));
    const other = planLegacyImport({
      session: sessionOf(first),
      profile: "work",
      storeId: "s1",
      storeRows: [],
      maxRowId: 0,
      storeOrigin: "x",
    });
    expect(other.rows[0]?.id).not.toBe(before.rows[0]?.id);
  });

  test("failure and status cards become notices, fragments are partial", () => {
    const result = plan([
      user("go", 100),
      assistant("half an ans", 101, { _partial: true }),
      assistant("**Error:** provider says no", 102, { _error: true }),
      assistant("", 103, {
        _statusCard: {
          title: "Status",
          rows: [
            { label: "Model", value: "m" },
            { label: "Turns", value: 3 },
          ],
        },
      }),
      assistant("Notice 5.", 104, { _statusCard: { n: 5 } }),
      assistant("", 105, { _error: true }),
    ]);
    expect(result.rows.map(({ role, content, status }) => [role, content, status])).toEqual([
      ["user", "go", "complete"],
      ["assistant", "half an ans", "partial"],
      ["notice", "**Error:** provider says no", "complete"],
      ["notice", "**Status**\n\n- Model: m\n- Turns: 3", "complete"],
      ["notice", "Notice 5.", "complete"],
    ]);
    expect(result.counts.leftOut).toBe(1);
  });

  test("late output of a stopped run stays out, a later turn is shown", () => {
    const result = plan(
      [
        user("go", 100),
        assistant("half", 101, { _partial: true }),
        assistant("**Task cancelled.**", 102, { _error: true }),
      ],
      [
        stored(1, "user", "go", 100),
        stored(2, "assistant", "the whole late answer", 110),
        stored(3, "user", "again", 200),
        stored(4, "assistant", "fine", 201),
      ],
    );
    expect(said(result)).toEqual([
      "user: go",
      "assistant: half",
      "notice: **Task cancelled.**",
      "user: again",
      "assistant: fine",
    ]);
  });

  test("what nobody sees is left out", () => {
    const result = plan([
      { role: "system", content: "be good", timestamp: 1 },
      { role: "session_meta", content: "x", timestamp: 1 },
      user("scaffold", 2, { display_kind: "hidden" }),
      user("scaffold", 2, { display_metadata: { model_only: true } }),
      assistant("[CONTEXT COMPACTION — earlier turns]", 3),
      assistant("summary", 3, { _compressed_summary: true }),
      assistant("", 4),
      null,
      "text",
      { content: "no role" },
      user("seen", 5),
    ]);
    expect(said(result)).toEqual(["user: seen"]);
    expect(result.counts).toEqual({ merged: 0, fromStore: 0, localOnly: 1, leftOut: 10 });
  });

  test("text that a summary carries is shown once", () => {
    const carrier = (text: string) =>
      user(
        `[CONTEXT COMPACTION] old\n--- END OF CONTEXT SUMMARY — respond to the message below, not the summary above ---\n${text}`,
        3,
      );
    expect(said(plan([carrier("and then?")]))).toEqual(["user: and then?"]);
    expect(said(plan([carrier("and then?"), user("and  then?", 4)]))).toEqual(["user: and  then?"]);
  });

  test("calls, results, pictures and attachments keep what they say", () => {
    const image = { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } };
    const result = plan(
      [
        user("look", 100, { attachments: ["a.png", { name: "b c.txt" }, { size: 3 }] }),
        { role: "user", content: [{ type: "text", text: "this" }, image], timestamp: 101 },
        {
          role: "user",
          content: [
            { type: "text", text: "one" },
            { type: "text", text: "two" },
          ],
          timestamp: 102,
        },
        assistant("", 103, { tool_calls: [{ id: "c1", function: { name: "ls", arguments: { a: 1 } } }] }),
        { role: "tool", content: "short", tool_call_id: "c1", timestamp: 104, is_error: true },
      ],
      [
        stored(5, "assistant", "", 103, {
          tool_calls: '[{"id":"c1","type":"function","function":{"name":"ls","arguments":"{\\"a\\":1}"}}]',
        }),
        stored(6, "tool", "the long output", 104, { tool_call_id: "c1", tool_name: "ls" }),
      ],
    );
    expect(
      result.rows.map(({ id: _id, origin: _origin, uid: _uid, status: _status, ...row }) => row),
    ).toEqual([
      { rowId: null, role: "user", content: "look\n\n[Attached files: a.png, b c.txt]", createdAt: 100 },
      {
        rowId: null,
        role: "user",
        content: "this\n[screenshot]",
        parts: [{ type: "text", text: "this" }, image],
        createdAt: 101,
      },
      { rowId: null, role: "user", content: "one\ntwo", createdAt: 102 },
      {
        rowId: 5,
        role: "assistant",
        content: "",
        toolCalls: [{ id: "c1", type: "function", function: { name: "ls", arguments: '{"a":1}' } }],
        createdAt: 103,
      },
      {
        rowId: 6,
        role: "tool",
        content: "short",
        toolCallId: "c1",
        toolName: "ls",
        isError: true,
        createdAt: 104,
      },
    ]);
  });

  test("undo and clear hold: the marks are asked", () => {
    const store = [
      stored(1, "user", "keep", 100),
      stored(2, "assistant", "kept", 101),
      stored(3, "user", "gone", 102),
      stored(4, "assistant", "gone too", 103),
    ];
    expect(
      said(plan([user("keep", 100), assistant("kept", 101)], store, { truncationWatermark: 101 })),
    ).toEqual(["user: keep", "assistant: kept"]);
    const cleared = plan([], store, { truncationWatermark: 0 });
    expect([cleared.rows, cleared.baseCursor]).toEqual([[], 4]);
    expect(said(plan([], store))).toHaveLength(4);
  });

  test("the prompt of a run in progress is kept, once", () => {
    const pending = { text: "and now?", at: 200, attachments: null };
    expect(said(plan([user("hi", 100)], [], { pending }))).toEqual(["user: hi", "user: and now?"]);
    expect(said(plan([user("and now?", 100)], [], { pending }))).toHaveLength(2);
    expect(said(plan([user("and  now?", 201)], [], { pending }))).toHaveLength(1);
    const answered = [stored(1, "user", "and now?", 200.4), stored(2, "assistant", "done", 230)];
    expect(said(plan([user("hi", 100)], answered, { pending }))).toEqual([
      "user: hi",
      "user: and now?",
      "assistant: done",
    ]);
  });

  test("rows without a time take that of the row before them", () => {
    const result = plan([
      user("a", Number.NaN),
      user("b", 60),
      { role: "assistant", content: "c" },
      user("d", -5),
    ]);
    expect(result.rows.map(({ createdAt }) => createdAt)).toEqual([50, 60, 60, 0]);
  });

  test("inputs stay as they are", () => {
    const messages = [user("hi", 100), assistant("", 101, { tool_calls: [{ id: "c" }], _partial: true })];
    const copy = structuredClone(messages);
    plan(messages, [stored(1, "user", "hi", 100)]);
    expect(messages).toEqual(copy);
  });
});

describe("the cases of the merge, planned", () => {
  const cases = ["reconcile-cases.jsonl", "reconcile-cases-corrected.jsonl"]
    .flatMap((file) => readFileSync(`test/cases/${file}`, "utf8").split("\n"))
    .filter((line) => line !== "")
    .map(
      (line) =>
        JSON.parse(line) as {
          name: string;
          sidecar: unknown[];
          state: Record<string, unknown>[];
          options?: Record<string, unknown>;
        },
    );

  test("ids are unique, no store row stands twice, the counts add up, again gives the same", () => {
    expect(cases.length).toBeGreaterThan(100);
    for (const { sidecar, state, options } of cases) {
      const rows = state.map((row, index) =>
        decodeRow({
          ...row,
          id: index + 1,
          session_id: "s1",
          tool_calls: typeof row.tool_calls === "object" ? JSON.stringify(row.tool_calls) : row.tool_calls,
          content:
            typeof row.content === "object" ? `\u0000json:${JSON.stringify(row.content)}` : row.content,
        }),
      );
      const marks = {
        truncationWatermark: options?.truncation_watermark,
        truncationBoundary: options?.truncation_boundary,
      };
      const result = plan(sidecar, rows, marks);
      expect(new Set(result.rows.map(({ id }) => id)).size).toBe(result.rows.length);
      const bound = result.rows.flatMap(({ rowId }) => (rowId === null ? [] : [rowId]));
      expect(new Set(bound).size).toBe(bound.length);
      const { merged, fromStore, localOnly, leftOut } = result.counts;
      expect(merged + fromStore + localOnly).toBe(result.rows.length);
      expect(merged + localOnly + leftOut).toBeGreaterThanOrEqual(sidecar.length);
      expect(plan(sidecar, rows, marks)).toEqual(result);
    }
  });
});

describe("the session of a plan", () => {
  test("has the file's settings, and times from its messages where it has none", () => {
    const session = sessionOf([user("hi", 100), user("ho", 300)], {
      title: "T",
      model: "m",
      pinned: true,
      createdAt: null,
    });
    const input = { session, profile: "default", storeId: "s1", workspace: "/w", digest: "d" };
    const made = toImportSession({ ...input, plan: plan(session.messages, [], { createdAt: null }) });
    const { rows, ...rest } = made;
    expect(rest).toEqual({
      profile: "default",
      storeId: "s1",
      title: "T",
      titleSource: "user",
      model: "m",
      workspace: "/w",
      pinned: true,
      archived: false,
      createdAt: 100,
      updatedAt: 300,
      digest: "d",
      baseCursor: 0,
    });
    expect(rows).toHaveLength(2);
  });

  test("a digest tells file, session and profile apart, and nothing else", () => {
    const digests = [
      importDigest("a", "s", "x"),
      importDigest("b", "s", "x"),
      importDigest("a", "t", "x"),
      importDigest("a", "s", "y"),
    ];
    expect(new Set(digests).size).toBe(4);
    expect(importDigest("a", "s", "x")).toBe(digests[0]);
  });
});

import { describe, expect, test } from "@jest/globals";
import { readLegacySession } from "../../../common/exchange/hermes-webui/read.ts";

const FILE = {
  session_id: "0a1b2c3d4e5f",
  title: "Invoices",
  created_at: 1_780_000_000.5,
  updated_at: "1780000100",
  workspace: "/work",
  model: "m",
  profile: "default",
  pinned: true,
  archived: false,
  message_count: 1,
  messages: [{ role: "user", content: "hi", timestamp: 1_780_000_000 }],
};
const read = (file: unknown, name = "0a1b2c3d4e5f.json") =>
  readLegacySession(typeof file === "string" ? file : JSON.stringify(file), name);
const codeOf = (file: unknown, name?: string): string => {
  const result = read(file, name);
  return result.ok ? "ok" : result.code;
};

describe("a session file of hermes-webui", () => {
  test("is read with its settings and marks", () => {
    const result = read({
      ...FILE,
      truncation_watermark: 5,
      truncation_boundary: "4",
      pending_user_message: "and now?",
      pending_started_at: 1_780_000_200,
      pending_attachments: ["a.txt"],
      unknown: { deep: true },
    });
    expect(result).toEqual({
      ok: true,
      session: {
        id: "0a1b2c3d4e5f",
        title: "Invoices",
        profile: "default",
        model: "m",
        workspace: "/work",
        pinned: true,
        archived: false,
        createdAt: 1_780_000_000.5,
        updatedAt: 1_780_000_100,
        snapshot: false,
        messages: FILE.messages,
        pending: { text: "and now?", at: 1_780_000_200, attachments: ["a.txt"] },
        truncationWatermark: 5,
        truncationBoundary: "4",
      },
    });
  });

  test("garbage in any field but the id and the messages is nothing", () => {
    const garbage = Object.fromEntries(Object.keys(FILE).map((key) => [key, { a: [null, 1] }]));
    const result = read({ ...garbage, session_id: FILE.session_id, messages: [null, 7, "x", [], {}] });
    expect(result).toMatchObject({
      ok: true,
      session: {
        title: null,
        profile: null,
        model: null,
        workspace: null,
        pinned: false,
        archived: false,
        createdAt: null,
        updatedAt: null,
        pending: null,
      },
    });
    expect(read({ session_id: FILE.session_id, messages: [] }).ok).toBe(true);
  });

  test.each(["Untitled", " New Chat ", "", "\n"])("the automatic title %j is none", (title) => {
    expect(read({ ...FILE, title })).toMatchObject({ session: { title: null } });
  });

  test("what Python writes for numbers that are none, and a byte order mark", () => {
    const text = `\ufeff{"session_id":"a_1","created_at":NaN,"updated_at":-Infinity,"messages":[{"role":"user","content":"NaN \\"Infinity\\\\","timestamp":Infinity}]}`;
    expect(read(text, "a_1.json")).toMatchObject({
      ok: true,
      session: {
        createdAt: null,
        messages: [{ role: "user", content: 'NaN "Infinity\\', timestamp: null }],
      },
    });
  });

  test.each([
    ["0a1b2c3d4e5f.json.bak", "other_file"],
    ["_index.json", "other_file"],
    [".0a1b2c3d4e5f.json", "other_file"],
    ["0a1b2c3d4e5f.json.tmp.123", "other_file"],
    ["notes.txt", "other_file"],
    ["ffffffffffff.json", "id_mismatch"],
  ])("%s: %s", (name, code) => {
    expect(codeOf(FILE, name)).toBe(code);
  });

  test.each([
    ['{"session_id":"0a1b2c3d4e5f","messages":[', "not_json"],
    ["", "not_json"],
    ["\u0000\u0000", "not_json"],
    ["[]", "not_a_session"],
    ["null", "not_a_session"],
    ['"x"', "not_a_session"],
    [{ ...FILE, messages: { 0: "x" } }, "not_a_session"],
    [{ ...FILE, session_id: 7 }, "not_a_session"],
    [{ ...FILE, session_id: "../../x" }, "bad_id"],
    [{ ...FILE, session_id: "UPPER" }, "bad_id"],
    [{ ...FILE, session_id: "a\n" }, "bad_id"],
    [{ ...FILE, session_id: "" }, "bad_id"],
    [{ ...FILE, session_id: "a".repeat(65) }, "bad_id"],
  ])("%#: %j is refused: %s", (file, code) => {
    expect(codeOf(file)).toBe(code);
  });

  test("an own __proto__ changes nothing", () => {
    const result = read(
      `{"session_id":"a","__proto__":{"title":"x"},"messages":[{"__proto__":{"role":"user"}}]}`,
      "a.json",
    );
    expect(result).toMatchObject({ ok: true, session: { title: null } });
    expect(({} as Record<string, unknown>).title).toBeUndefined();
  });
});

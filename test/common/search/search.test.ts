import { describe, expect, test } from "@jest/globals";
import type { SearchHit } from "../../../common/search/port.ts";
import { alter, describeFile, make, mutate, newPath } from "../state-db/read-files.ts";
import { type Index, matched, openIndex, say } from "./index-files.ts";

const withTexts = (
  texts: readonly string[],
  role = "user",
): { index: Index; file: string; ids: readonly number[] } => {
  const file = make("--sessions", "1", "--messages", "6", "--multimodal", "0");
  const ids = say(file, "ses_q", texts, role);
  const index = openIndex();
  index.fill(file);
  return { index, file, ids };
};
const textsOf = (hits: readonly SearchHit[]): readonly string[] => hits.map(({ snippet }) => snippet);

describe("what is found", () => {
  const texts = [
    "Zebra crossing at Café Größenwahn",
    "the zebra sleeps",
    "東京タワーでシマウマを見た",
    "ม้าลายกินหญ้า",
    "얼룩말이 잔다",
    "well done 🦓🎉 really",
    'AND OR NOT NEAR text:zebra* ^("x")',
    "foo_bar-baz.qux@example.com",
  ];
  const { index, file } = withTexts(texts);

  test.each<[string, readonly number[]]>([
    ["zebra", [6, 1, 0]],
    ["ZEBRA", [6, 1, 0]],
    ["zeb", [6, 1, 0]],
    ["zeb sleeps", []],
    ["zebra cross", [0]],
    ["sleeps zebra", [1]],
    ['"zebra sleeps"', [1]],
    ['"sleeps zebra"', []],
    ['"the zebra" sle', [1]],
    ['"the zebra', [1]],
    ['zebra "', [6, 1, 0]],
    ["cafe grossenwahn", [0]],
    ["CAFÉ", [0]],
    ["東京", [2]],
    ["シマウマ", [2]],
    ["京東", []],
    ["タワー シマウマ", [2]],
    ["ลาย", [3]],
    ["กินหญ้า", [3]],
    ["얼룩말", [4]],
    ["🦓", [5]],
    ["🎉 done", [5]],
    ["🤖", []],
    ["AND OR NOT", [6]],
    ["zebra OR sleeps", []],
    ["zebra NOT sleeps", []],
    ["text:zebra", [6]],
    ["text : sleeps", []],
    ["zebra*", [6, 1, 0]],
    ["^zebra", [6, 1, 0]],
    ["-sleeps", [1]],
    ["NEAR(zebra sleeps)", []],
    ["{text} : zebra", [6]],
    ["zebra + sleeps", [1]],
    ["bar baz", [7]],
    ["foo_bar-baz.qux@example.com", [7]],
    ["foo bar qux baz", [7]],
    ["'; drop table docs; --", []],
    ["%", []],
    ["", []],
    ['"""', []],
    ["\0", []],
    ["\ud83e", []],
  ])("%j", (q, expected) => {
    expect(textsOf(index.find(q, file))).toEqual(expected.map((n) => texts[n]));
  });

  test("a very long query is answered in no time", () => {
    const started = performance.now();
    expect(index.find("zebra ".repeat(20_000), file)).toHaveLength(3);
    expect(index.find(`"${"zebra ".repeat(20_000)}`, file)).toEqual([]);
    expect(index.find("z".repeat(100_000), file)).toEqual([]);
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  test("a hit says where it is and what matched", () => {
    const [hit] = index.find("zebra sleeps", file);
    expect(hit).toMatchObject({
      profile: "default",
      sessionId: "ses_q",
      rowId: 8,
      messageId: null,
      role: "user",
      createdAt: 1790000000.5,
    });
    expect(hit === undefined ? [] : matched(hit)).toEqual(["zebra sleeps".split(" ")[0], "sleeps"]);
  });
});

describe("texts", () => {
  test("encoded parts are found by their text", () => {
    const parts = [
      { type: "text", text: "a striped zebra" },
      { type: "image_url", image_url: { url: "data:zz" } },
    ];
    const { index, file } = withTexts([`\0json:${JSON.stringify(parts)}`]);
    expect(textsOf(index.find("zebra", file))).toEqual(["a striped zebra [screenshot]"]);
    expect(index.find("image_url", file)).toEqual([]);
  });

  test("of a long text the beginning is indexed; of a tool's result less of it", () => {
    const long = `${"filler ".repeat(3_000)} zebra ${"filler ".repeat(20_000)} giraffe`;
    const { index, file } = withTexts([long]);
    expect(index.find("zebra", file)).toHaveLength(1);
    expect(index.find("giraffe", file)).toEqual([]);
    const tool = withTexts([long], "tool");
    expect(tool.index.find("zebra", tool.file)).toEqual([]);
    expect(tool.index.find("filler", tool.file)).toHaveLength(1);
  });

  test("what nobody sees is not found", () => {
    const file = make("--sessions", "1", "--messages", "4");
    const ids = say(file, "ses_q", [
      "zebra hidden",
      "zebra model",
      "[CONTEXT COMPACTION] zebra",
      "zebra rewound",
    ]);
    alter(file, "UPDATE messages SET display_kind = 'hidden' WHERE id = ?", ids[0]);
    alter(file, `UPDATE messages SET display_metadata = '{"model_only":true}' WHERE id = ?`, ids[1]);
    alter(file, "UPDATE messages SET active = 0 WHERE id = ?", ids[3]);
    say(file, "ses_q", ["zebra system"], "system");
    const index = openIndex();
    index.fill(file);
    expect(index.find("zebra", file)).toEqual([]);
  });

  test("what compaction archived is found once; a kept copy speaks for its original", () => {
    const file = make("--sessions", "1", "--messages", "6");
    const [session] = describeFile(file).sessions;
    const id = session?.id ?? "";
    say(file, id, ["zebra old", "then this", "zebra kept"]);
    mutate(file, "--compact", id, "1");
    const index = openIndex();
    index.fill(file);
    expect(textsOf(index.find("zebra", file))).toEqual(["zebra kept", "zebra old"]);
  });
});

describe("after indexing", () => {
  test("rows that were rewound, hidden or deleted are not found; rewritten ones show what they are now", () => {
    const { index, file, ids } = withTexts(["zebra a", "zebra b", "zebra c", "zebra d", "zebra e"]);
    alter(file, "UPDATE messages SET active = 0 WHERE id = ?", ids[0]);
    alter(file, "UPDATE messages SET display_kind = 'hidden' WHERE id = ?", ids[1]);
    alter(file, "DELETE FROM messages WHERE id = ?", ids[2]);
    alter(file, "UPDATE messages SET content = 'the zebra was edited' WHERE id = ?", ids[3]);
    alter(file, "UPDATE messages SET content = 'giraffe' WHERE id = ?", ids[4]);
    expect(textsOf(index.find("zebra", file))).toEqual(["the zebra was edited"]);
  });

  test("a rewound turn, as its writer rewinds it", () => {
    const file = make("--sessions", "1", "--messages", "6");
    const id = describeFile(file).sessions[0]?.id ?? "";
    say(file, id, ["zebra prompt"]);
    say(file, id, ["zebra answer"], "assistant");
    const index = openIndex();
    index.fill(file);
    expect(index.find("zebra", file)).toHaveLength(2);
    mutate(file, "--rewind", id, "1");
    expect(index.find("zebra", file)).toEqual([]);
  });

  test("a page is filled although many hits are gone; a call looks at so many only, and says where to go on", () => {
    const { index, file, ids } = withTexts(Array.from({ length: 3_000 }, (_, n) => `zebra ${n}`));
    const paths = { default: file };
    alter(file, "DELETE FROM messages WHERE id > ?", (ids[0] ?? 0) + 1_500);
    const page = index.search({ q: "zebra", limit: 5, paths });
    expect(textsOf(page.hits)).toEqual([
      "zebra 1500",
      "zebra 1499",
      "zebra 1498",
      "zebra 1497",
      "zebra 1496",
    ]);
    alter(file, "DELETE FROM messages WHERE id > ?", ids[10]);
    const empty = index.search({ q: "zebra", limit: 5, paths });
    expect(empty.hits).toEqual([]);
    const rest = index.search({ q: "zebra", limit: 5, paths, cursor: empty.next ?? "" });
    expect(textsOf(rest.hits)).toEqual(["zebra 10", "zebra 9", "zebra 8", "zebra 7", "zebra 6"]);
  });

  test("a file that cannot be read is named; the others answer", () => {
    const { index, file } = withTexts(["zebra"]);
    index.fill(file, "other");
    const { hits, unread } = index.search({
      q: "zebra",
      limit: 5,
      paths: { default: newPath(), other: file },
    });
    expect(hits).toMatchObject([{ profile: "other" }]);
    expect(unread).toEqual({ default: "missing" });
    expect(index.search({ q: "zebra", limit: 5, paths: {} })).toMatchObject({ hits: [], unread: {} });
  });
});

describe("pages", () => {
  test("cursors give each hit once, newest first, whatever is added between", () => {
    const { index, file } = withTexts(Array.from({ length: 23 }, (_, n) => `zebra ${n}`));
    const paths = { default: file };
    const seen: string[] = [];
    let calls = 0;
    for (let cursor: string | null | undefined; cursor !== null; calls++) {
      const page = index.search({ q: "zebra", limit: 5, paths, cursor });
      seen.push(...textsOf(page.hits));
      cursor = page.next;
      say(file, "ses_q", [`zebra late ${calls}`]);
      index.fill(file);
    }
    expect(seen).toEqual(Array.from({ length: 23 }, (_, n) => `zebra ${22 - n}`));
  });

  test("a hit's own cursor goes on behind it", () => {
    const { index, file } = withTexts(["zebra 1", "zebra 2", "zebra 3"]);
    const paths = { default: file };
    const { hits } = index.search({ q: "zebra", limit: 3, paths });
    const { hits: rest } = index.search({ q: "zebra", limit: 3, paths, cursor: hits[0]?.cursor });
    expect(textsOf(rest)).toEqual(["zebra 2", "zebra 1"]);
  });

  test.each(["", "x", "bm90", "WyJhIl0", "Wy0xXQ", "WzEuNV0", "WzEsMl0"])("%j is no cursor", (cursor) => {
    const { index, file } = withTexts(["zebra"]);
    expect(() => index.search({ q: "zebra", limit: 3, paths: { default: file }, cursor })).toThrow(
      expect.objectContaining({ code: "invalid_request" }),
    );
  });

  test("one profile, or all; sessions can be left out", () => {
    const { index, file } = withTexts(["zebra"]);
    index.fill(file, "other");
    say(file, "ses_2", ["zebra 2"]);
    index.fill(file);
    const paths = { default: file, other: file };
    const found = (more: object): readonly string[] =>
      index
        .search({ q: "zebra", limit: 9, paths, ...more })
        .hits.map(({ profile, sessionId }) => `${profile}/${sessionId}`);
    expect(found({})).toEqual(["default/ses_2", "other/ses_q", "default/ses_q"]);
    expect(found({ profile: "other" })).toEqual(["other/ses_q"]);
    expect(found({ profile: "othe" })).toEqual([]);
    expect(found({ skip: [{ profile: "default", sessionId: "ses_q" }] })).toEqual([
      "default/ses_2",
      "other/ses_q",
    ]);
  });
});

describe("sessions", () => {
  test("each one once, by its newest hit", () => {
    const { index, file } = withTexts([]);
    for (const [session, text] of [
      ["a", "zebra 1"],
      ["b", "zebra 2"],
      ["a", "zebra 3"],
      ["c", "none"],
      ["b", "zebra 4"],
    ] as const)
      say(file, session, [text]);
    index.fill(file);
    const all = index.sessionsMatching({ q: "zebra", limit: 9, paths: { default: file } });
    expect(all.hits.map(({ sessionId, snippet }) => [sessionId, snippet])).toEqual([
      ["b", "zebra 4"],
      ["a", "zebra 3"],
    ]);
    expect(all.cut).toBe(false);
    const one = index.sessionsMatching({ q: "zebra", limit: 1, paths: { default: file } });
    expect(one).toMatchObject({ hits: [{ sessionId: "b" }], cut: true });
  });

  test("a session with very many hits does not hide the ones before it", () => {
    const { index, file } = withTexts(["zebra"]);
    say(
      file,
      "ses_big",
      Array.from({ length: 5_000 }, (_, n) => `zebra ${n}`),
    );
    index.fill(file);
    const { hits, cut } = index.sessionsMatching({ q: "zebra", limit: 9, paths: { default: file } });
    expect(hits.map(({ sessionId }) => sessionId)).toEqual(["ses_big", "ses_q"]);
    expect(cut).toBe(false);
  });
});

describe("local documents", () => {
  const doc = {
    profile: "default",
    sessionId: "local_1",
    messageId: "m1",
    text: "the zebra is only here",
    role: "assistant",
    createdAt: 1790000001,
  };

  test("are found beside the rows of files, and need none", () => {
    const { index, file } = withTexts(["zebra in a file"]);
    index.indexLocal([doc], "mark 1");
    const hits = index.find("zebra", file);
    expect(hits).toMatchObject([
      {
        sessionId: "local_1",
        rowId: null,
        uid: null,
        messageId: "m1",
        role: "assistant",
        createdAt: 1790000001,
      },
      { sessionId: "ses_q", messageId: null },
    ]);
    expect(index.search({ q: "only here", limit: 5, paths: {} }).hits.map(matched)).toEqual([
      ["only", "here"],
    ]);
    expect(index.localMark()).toBe("mark 1");
  });

  test("the same message again replaces its text; a dropped session is gone", () => {
    const index = openIndex();
    index.indexLocal([doc, { ...doc, messageId: "m2", text: "another zebra" }]);
    index.indexLocal([{ ...doc, text: "a giraffe now" }]);
    const find = (q: string) =>
      index.search({ q, limit: 5, paths: {} }).hits.map(({ messageId }) => messageId);
    expect(find("zebra")).toEqual(["m2"]);
    expect(find("giraffe")).toEqual(["m1"]);
    index.dropLocal("local_1");
    index.dropLocal("unknown");
    expect([...find("zebra"), ...find("giraffe")]).toEqual([]);
  });
});

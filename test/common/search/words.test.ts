import { describe, expect, test } from "@jest/globals";
import Database from "better-sqlite3";
import fc from "fast-check";
import { findMatches } from "../../../common/search/match.ts";
import { matchExpression, parseQuery } from "../../../common/search/query.ts";
import { makeSnippet } from "../../../common/search/snippet.ts";
import { indexable, profileWord, wordsOf } from "../../../common/search/words.ts";

const found = (text: string, q: string): readonly string[] | null =>
  findMatches(text, parseQuery(q))?.map(([start, end]) => text.slice(start, end)) ?? null;

describe("words", () => {
  test.each<[string, readonly string[]]>([
    ["Hello, World_2!", ["hello", "world", "2"]],
    ["Café Ärger ÉTÉ", ["cafe", "arger", "ete"]],
    ["Straße STRASSE", ["strasse", "strasse"]],
    ["ΟΔΟΣ οδοστρωμα", ["οδοσ", "οδοστρωμα"]],
    ["İstanbul ıslak", ["istanbul", "islak"]],
    ["ﬁne ｗｉｄｅ", ["fine", "wide"]],
    ["日本語 v2", ["日", "本", "語", "v2"]],
    ["がぎ", ["が", "ぎ"]],
    ["한국어", ["한", "국", "어"]],
    ["กิน", ["กิ", "น"]],
    ["हिन्दी", ["हिन्दी"]],
    ["ok👍🏽!", ["ok", "\uE0001f44d"]],
    ["© ™", []],
    ["\uE000\uE001", []],
    ["a\0b", ["a", "b"]],
  ])("%j", (text, expected) => {
    expect(wordsOf(text).texts).toEqual(expected);
  });

  test("a word of encoded data counts by its beginning", () => {
    expect(wordsOf("x".repeat(500)).texts).toEqual(["x".repeat(64)]);
    expect(indexable("x".repeat(500))).toBe("x".repeat(64));
  });
});

describe("queries", () => {
  test.each<[string, string]>([
    ["one two", '"one" AND "two" *'],
    ['"one two" three', '"one two" AND "three" *'],
    ['"one two"', '"one two"'],
    ['say "one tw', '"say" AND "one tw" *'],
    ["“one two”", '"one two"'],
    ["foo-bar", '"foo bar" *'],
    ["a OR b", '"a" AND "or" AND "b" *'],
    ["NEAR(a, b) NOT text:c^2*", '"near a" AND "b" AND "not" AND "text c 2" *'],
    ["same same", '"same" *'],
    ["日本", '"日 本" *'],
    ['"', ""],
    ["* - ( :", ""],
  ])("%j", (q, expected) => {
    expect(matchExpression(parseQuery(q), undefined)).toBe(expected);
  });

  test("a profile is a word that no text holds", () => {
    expect(matchExpression(parseQuery("x"), "p-1")).toBe(`"${profileWord("p-1")}" AND "x" *`);
    expect(wordsOf(profileWord("p-1")).texts).not.toContain(profileWord("p-1"));
  });

  test("a query of any length is bounded", () => {
    const terms = parseQuery(Array.from({ length: 50_000 }, (_, n) => `w${n}`).join(" "));
    expect(terms.length).toBeLessThanOrEqual(32);
  });
});

describe("matches", () => {
  test.each<[string, string, readonly string[] | null]>([
    ["the quick brown fox", "quick fox", ["quick", "fox"]],
    ["the quick brown fox", "quick cat", null],
    ["the quick brown fox", "fo", ["fox"]],
    ["the quick brown fox", "qui fox", null],
    ["the quick brown fox", '"quick brown"', ["quick brown"]],
    ["the quick brown fox", '"brown quick"', null],
    ["the quick brown fox", '"quick bro"', null],
    ["the quick brown fox", '"quick bro', ["quick brown"]],
    ["Crème brûlée", "creme brulee", ["Crème", "brûlée"]],
    ["今日は東京タワーに行く", "東京タワー", ["東京タワー"]],
    ["今日は東京タワーに行く", "京東", null],
    ["서울에서 만나요", "서울 만나", ["서울", "만나"]],
    ["well done 👍🏽 🤖", "🤖", ["🤖"]],
    ["well done 👍🏽 🤖", "👍", ["👍"]],
    ["ab ab", "a ab", null],
  ])("%j: %j", (text, q, expected) => {
    expect(found(text, q)).toEqual(expected);
  });

  test("whatever the decision finds, the full-text table proposes", () => {
    const db = new Database(":memory:");
    db.exec(
      "create virtual table words using fts5(text, content='', prefix='1 2 3', tokenize='unicode61 remove_diacritics 2')",
    );
    const insert = db.prepare("insert into words (rowid, text) values (?, ?)");
    const find = db.prepare("select 1 from words where words match ? and rowid = ?");
    const alphabet = [...'aAzßéΣσ日本がัิกक्िй👍🏽🤖🇩🇪 -"*1½ﷺﬁ한\u0301\u200d', " ", "OR ", "ab"];
    const text = fc.array(fc.constantFrom(...alphabet), { maxLength: 24 }).map((parts) => parts.join(""));
    let rowid = 0;
    fc.assert(
      fc.property(text, fc.nat(24), fc.nat(24), (body, from, length) => {
        const q = body.slice(from, from + length);
        const terms = parseQuery(q);
        rowid += 1;
        insert.run(rowid, `${profileWord("p")} ${indexable(body)}`);
        if (terms.length === 0) return;
        const proposed = find.get(matchExpression(terms, "p"), rowid) !== undefined;
        const decided = findMatches(body, terms) !== null;
        if (decided) expect(proposed).toBe(true);
      }),
      { numRuns: 2_000 },
    );
    db.close();
  });
});

describe("snippets", () => {
  const show = (text: string, q: string) => {
    const { snippet, matches } = makeSnippet(text, findMatches(text, parseQuery(q)) ?? []);
    return { snippet, pieces: matches.map(([start, end]) => snippet.slice(start, end)) };
  };

  test("a short text is shown whole, its blanks squashed", () => {
    expect(show("  one\n\n\ttwo   three\0four ", "three")).toEqual({
      snippet: "one two three four",
      pieces: ["three"],
    });
  });

  test("of a long text the surroundings of the first match, cut between words", () => {
    const text = `${"before ".repeat(100)}needle ${"after ".repeat(100)}needle`;
    const { snippet, pieces } = show(text, "needle");
    expect(snippet).toMatch(/^…(before )+needle (after )+after…$/);
    expect(snippet.length).toBeLessThanOrEqual(161);
    expect(pieces).toEqual(["needle"]);
  });

  test("characters outside the basic plane are counted as JavaScript counts them, and never cut in half", () => {
    const text = `${"🦊".repeat(120)} 𝔘nicode needle ${"🦊".repeat(120)}`;
    const { snippet, pieces } = show(text, "needle");
    expect(pieces).toEqual(["needle"]);
    expect(snippet.isWellFormed()).toBe(true);
    expect(snippet).toMatch(/^…🦊+ 𝔘nicode needle 🦊+…$/u);
    expect(show("🦊 a 🦊 needle", "🦊 needle").pieces).toEqual(["🦊", "🦊", "needle"]);
  });

  test("half of a character in the file does not get out", () => {
    expect(show("\ud800 needle \udc00", "needle")).toEqual({ snippet: "� needle �", pieces: ["needle"] });
  });

  test("a match longer than the snippet is cut with it", () => {
    const text = "日".repeat(400);
    const { snippet, pieces } = show(text, `"${"日".repeat(300)}"`);
    expect(pieces).toHaveLength(1);
    expect(snippet.length).toBeLessThanOrEqual(161);
  });

  test("whatever the text, matches are in order, inside the snippet, and say what was looked for", () => {
    const part = fc.constantFrom("needle", "Nëedle", " ", "\n", "🦊", "x", "longer words here", "日本", "\0");
    fc.assert(
      fc.property(fc.array(part, { maxLength: 60 }), (parts) => {
        const text = parts.join("");
        const spans = findMatches(text, parseQuery("needle"));
        if (spans === null) return;
        const { snippet, matches } = makeSnippet(text, spans);
        expect(matches.length).toBeGreaterThan(0);
        expect(snippet).not.toMatch(/\s\s|[\0\n]/);
        let last = -1;
        for (const [start, end] of matches) {
          expect(start).toBeGreaterThan(last);
          expect(
            snippet
              .slice(start, end)
              .normalize("NFD")
              .replace(/\u0308/g, ""),
          ).toMatch(/^needle/i);
          last = end;
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

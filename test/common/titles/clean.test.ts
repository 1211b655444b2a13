import { describe, expect, test } from "@jest/globals";
import { cleanTitle } from "../../../common/titles/clean.ts";

describe("cleaning what a model answered", () => {
  test.each([
    ["Fix Login Bug", "Fix Login Bug"],
    ["<think>The user wants a title.\nTitle: no</think>\n\nFix Login Bug", "Fix Login Bug"],
    ["The user wants a title.</think>Fix Login Bug", "Fix Login Bug"],
    ["<think>never closed, so nothing was answered", ""],
    ["Title: Fix Login Bug", "Fix Login Bug"],
    ["**Title:** “Fix Login Bug”.", "Fix Login Bug"],
    ['# "Fix Login Bug"', "Fix Login Bug"],
    ["Conversation title：`Fix Login Bug`", "Fix Login Bug"],
    ["标题：《修复登录错误》", "修复登录错误"],
    ["タイトル：「ログインの修正」", "ログインの修正"],
    ["Заголовок: «Исправление входа»", "Исправление входа"],
    ["Titel: „Anmeldung reparieren“", "Anmeldung reparieren"],
    ["Here is a title for this conversation:\n\nFix Login Bug", "Fix Login Bug"],
    ["Title\nFix Login Bug", "Fix Login Bug"],
    ["1. Fix Login Bug\n2. Login Trouble", "Fix Login Bug"],
    ["Fix Login Bug\n\nThis title says what it is about.", "Fix Login Bug"],
    ['{"title": "Fix Login Bug"}', "Fix Login Bug"],
    ['```json\n{"title": "Fix Login Bug"}\n```', "Fix Login Bug"],
    ["```\nFix Login Bug\n```", "Fix Login Bug"],
    ["<title>Fix Login Bug</title>", "Fix Login Bug"],
    ["- **Fix**  Login\tBug", "Fix Login Bug"],
    ["[Fix Login Bug](https://example.com)", "Fix Login Bug"],
    ["", ""],
    [" \n ", ""],
  ])("%j becomes %j", (raw, title) => {
    expect(cleanTitle(raw)).toBe(title);
  });

  test.each([
    "1. FC Köln: Spielplan",
    "C++ and C# compared",
    "Node.js vs. Deno",
    "snake_case and __init__ in Python",
    "<div> centring in CSS",
    "What is f(x) = x²?",
    "“Hamlet” and “Macbeth”",
    "Don't Repeat Yourself",
    "2 * 3 * 4",
    "Wait for it...",
    "Titles: A Short History",
    "👨‍👩‍👧‍👦 Familienurlaub",
  ])("%j stays as it is", (title) => {
    expect(cleanTitle(title)).toBe(title);
  });

  test("cleaning twice changes nothing more", () => {
    for (const raw of ["**Title:** “Fix Login Bug”.", "Title: Title: x", "「『あ』」"])
      expect(cleanTitle(cleanTitle(raw))).toBe(cleanTitle(raw));
  });

  test("is cut at 80 characters, not inside one", () => {
    expect(cleanTitle("ab ".repeat(200)).length).toBeLessThanOrEqual(80);
    expect(cleanTitle(`${"a".repeat(79)}🇩🇪`)).toBe("a".repeat(79));
  });
});

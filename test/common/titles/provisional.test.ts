import { describe, expect, test } from "@jest/globals";
import { provisionalTitle } from "../../../common/titles/provisional.ts";

describe("the provisional title", () => {
  test("is the first 64 characters on one line", () => {
    expect(provisionalTitle("  Fix\n\tthe   flaky\u0000 test  ")).toBe("Fix the flaky test");
    expect(provisionalTitle("a".repeat(65))).toBe("a".repeat(64));
    expect(provisionalTitle(`${"a".repeat(63)} bcd`)).toBe("a".repeat(63));
  });

  test.each([
    ["[Workspace::v1: /srv/app]\nFix it\n\n[Attached files: a.png, b [final].pdf]", "Fix it"],
    ["[Workspace: /srv/app]\nFix it", "Fix it"],
    ["[Attached files: a.png]\nWhat is this?", "What is this?"],
    ["<think>they want\nsomething</think>Fix it", "Fix it"],
    ["<thinking>never closed", null],
    ["What does <think> do?", "What does <think> do?"],
    ["[Attached files: a.png]", null],
    [" \n ", null],
  ])("%j becomes %j", (text, title) => {
    expect(provisionalTitle(text)).toBe(title);
  });

  test.each([
    ["a family", "👨‍👩‍👧‍👦"],
    ["a flag", "🇩🇪"],
    ["a decomposed letter", "e\u0301"],
    ["a Hindi cluster", "क्षि"],
    ["a pair of surrogates", "𝕏"],
  ])("is never cut inside %s", (_what, grapheme) => {
    for (let before = 60; before < 64; before++) {
      const title = provisionalTitle(`${"a".repeat(before)}${grapheme}${grapheme}${grapheme}`) ?? "";
      expect(title.length).toBeLessThanOrEqual(64);
      const tail = title.slice(before);
      expect(tail).toBe(grapheme.repeat(Math.floor((64 - before) / grapheme.length)));
    }
  });

  test("piles of marks, direction overrides and lone surrogates do not get through", () => {
    const title = provisionalTitle(`a${"\u0301".repeat(1_000_000)} real\u202Etxt \uD800`) ?? "";
    expect(title.length).toBeLessThanOrEqual(64);
    expect(title.startsWith("a")).toBe(true);
    expect(provisionalTitle("safe\u202Egnp.exe \uD800")).toBe("safegnp.exe \uFFFD");
  });

  test.each(["<think>", "[Attached files:", "[Workspace:", "<think></think>", "a\u0301\u0301", "`", "\n"])(
    "a megabyte of %j takes no noticeable time",
    (piece) => {
      const text = piece.repeat(1_000_000 / piece.length);
      const start = performance.now();
      provisionalTitle(text);
      expect(performance.now() - start).toBeLessThan(20_000);
    },
  );
});

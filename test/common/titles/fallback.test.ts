import { describe, expect, test } from "@jest/globals";
import { fallbackTitle } from "../../../common/titles/fallback.ts";
import { FIRST_MESSAGES } from "./first-messages.ts";

test("B-16 fallback-keeps-umlauts: words with diacritics stay whole", () => {
  expect(fallbackTitle("Bitte führe die Tests aus")).toBe("führe Tests");
  // Also when the letters come in pieces.
  expect(fallbackTitle("Bitte führe die Tests aus".normalize("NFD"))).toBe("führe Tests");
});

test("B-16 fallback-cjk: a readable excerpt, never a generic label", () => {
  const title = fallbackTitle("请帮我分析一下这份季度销售报告中的异常数据，并给出改进建议。谢谢！") ?? "";
  expect(title).toBe("分析一下这份季度销售报告中的异常数据，并给出改进建议");
  const long = fallbackTitle("这是一个非常长的句子".repeat(20)) ?? "";
  expect(long.length).toBeLessThanOrEqual(30);
  expect("这是一个非常长的句子".repeat(20).startsWith(long)).toBe(true);
});

describe.each(FIRST_MESSAGES)("$language", ({ text, fallback }) => {
  test(`${text.slice(0, 40).replaceAll("%", "")} gives ${fallback}`, () => {
    expect(fallbackTitle(text)).toBe(fallback);
  });
});

describe("B-16 limits", () => {
  test("four distinct words of three letters or more", () => {
    expect(fallbackTitle("Redis redis REDIS go to UI memory limit eviction policy keys")).toBe(
      "Redis memory limit eviction",
    );
  });

  test("at most 60 characters, whole words", () => {
    const title = fallbackTitle(`${"x".repeat(25)} ${"y".repeat(25)} ${"z".repeat(25)}`) ?? "";
    expect(title).toBe(`${"x".repeat(25)} ${"y".repeat(25)}`);
  });

  test("attachment lists, workspace lines and thinking are no words of the user's", () => {
    expect(
      fallbackTitle("[Workspace::v1: /srv/app]\n<think>hmm</think>[Attached files: secret.pdf]"),
    ).toBeNull();
  });

  test("markdown and punctuation stay out", () => {
    expect(fallbackTitle("**Compare** `Vite` — (webpack), “Rollup”!")).toBe("Compare Vite webpack Rollup");
  });
});

import { describe, expect, test } from "@jest/globals";
import MarkdownIt from "markdown-it";
import { codeSpan, fenced } from "../../../common/exchange/code.ts";
import { containMarkdown } from "../../../common/exchange/contain.ts";
import { exportSession } from "../../../common/exchange/export.ts";
import { cleanText } from "../../../common/exchange/text.ts";
import { each, HOSTILE, messageOf, NOW, sessionOf, whole } from "./sessions.ts";

const document = (messages: Parameters<typeof messageOf>[0][], title = "A talk") =>
  whole(exportSession("markdown", sessionOf({ title }), each(messages.map(messageOf)), NOW));

const reader = new MarkdownIt({ html: true });
const headings = (text: string): string[] => {
  const tokens = reader.parse(text, {});
  return tokens.flatMap((token, index) =>
    token.type === "heading_open" && token.tag === "h2" && token.level === 0
      ? [tokens[index + 1]?.content ?? ""]
      : [],
  );
};
const htmlOf = (text: string): string[] =>
  reader
    .parse(text, {})
    .flatMap((token) => [token, ...(token.children ?? [])])
    .filter(({ type }) => type === "html_block" || type === "html_inline")
    .map(({ content }) => content.trim());

describe("an exported Markdown document", () => {
  test("holds the session and every message", async () => {
    const text = await document(
      [
        { role: "user", content: "hello\r\nthere", created_at: 1_790_000_000 },
        {
          role: "assistant",
          content: "It is **24**.",
          reasoning: "2*3",
          status: "partial",
          tool_calls: [{ id: "call_1", type: "function", function: { name: "calc", arguments: '{"a":1}' } }],
          created_at: 1_790_000_000,
        },
        {
          role: "tool",
          content: "a\n```\nb",
          tool_name: "calc",
          tool_call_id: "call_1",
          created_at: 1_790_000_000,
        },
        {
          role: "notice",
          content: "**Task cancelled.**\nTwo",
          status: "cancelled",
          created_at: 1_790_000_000,
        },
      ],
      "A *talk*",
    );
    expect(text).toBe(
      [
        "# A \\*talk\\*",
        "",
        "- Session: ses\\_0001abcd",
        "- Profile: default",
        "- Model: m-1",
        "- Source: talaria",
        "- Created: 2026-09-21 14:13:20 UTC",
        "- Updated: 2026-09-21 14:15:00 UTC",
        "- Exported: 2027-01-15 08:00:00 UTC",
        "",
        "## User",
        "",
        "*2026-09-21 14:13:20 UTC*",
        "",
        "hello",
        "there",
        "",
        "## Assistant (partial)",
        "",
        "*2026-09-21 14:13:20 UTC*",
        "",
        "<details>",
        "<summary>Reasoning</summary>",
        "",
        "2*3",
        "",
        "</details>",
        "",
        "It is **24**.",
        "",
        "**Calls `calc`** (`call_1`)",
        "",
        "```json",
        "{",
        '  "a": 1',
        "}",
        "```",
        "",
        "## Tool result: calc",
        "",
        "*2026-09-21 14:13:20 UTC* `call_1`",
        "",
        "````",
        "a",
        "```",
        "b",
        "````",
        "",
        "## Notice",
        "",
        "*2026-09-21 14:13:20 UTC*",
        "",
        "> **Task cancelled.**",
        "> Two",
        "",
      ].join("\n"),
    );
  });

  test.each(HOSTILE)("nothing of a message breaks out: %j", async (hostile) => {
    const text = await document(
      [
        { role: "user", content: hostile },
        {
          role: "assistant",
          content: hostile,
          reasoning: hostile,
          tool_calls: [{ id: hostile, type: "function", function: { name: hostile, arguments: hostile } }],
        },
        { role: "tool", content: hostile, tool_call_id: hostile },
        { role: "notice", content: hostile },
        { role: "user", content: "after" },
      ],
      hostile,
    );
    expect(headings(text)).toEqual(["User", "Assistant", "Tool result", "Notice", "User"]);
    expect(htmlOf(text)).toEqual(["<details>\n<summary>Reasoning</summary>", "</details>"]);
    expect(text).not.toMatch(/[^\P{Cc}\n\t]/u);
  });

  test("code stays as it is, inside of lines as well", () => {
    const text =
      "Use `<b>` and ``a ` <i>``:\n\n```html\n<b>&amp;</b>\n```\n\n    <indented>\n\n<https://x.example/>";
    expect(containMarkdown(text)).toBe(text);
    expect(containMarkdown("`<b>` <b> `c")).toBe("`<b>` &lt;b> `c");
  });

  test("a large text is kept whole, as code", () => {
    const text = `<!-- ${"x ".repeat(300_000)}`;
    expect(containMarkdown(text)).toBe(`\`\`\`\n${text}\n\`\`\``);
  });

  test("many backticks cost no more than their number", () => {
    const runs = Array.from({ length: 800 }, (_, index) => "`".repeat(index + 1)).join(" <b> ");
    const started = performance.now();
    expect(htmlOf(containMarkdown(runs))).toEqual([]);
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  test("code is fenced longer than what is inside", () => {
    expect(fenced("a\n`````\n")).toBe("``````\na\n`````\n``````");
    expect(fenced("")).toBe("```\n```");
    expect(codeSpan("`a` ``b``")).toBe("``` `a` ``b`` ```");
  });

  test("text is cleaned without losing what can be seen", () => {
    expect(cleanText("a\u001b[1;31mb\u001b[0m\r\nc\rd\u0000e\ud83d\tf😀")).toBe("ab\nc\nd\ufffde\ufffd\tf😀");
  });
});

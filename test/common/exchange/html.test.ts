import { describe, expect, test } from "@jest/globals";
import { exportSession } from "../../../common/exchange/export.ts";
import { renderMarkdown } from "../../../common/exchange/render.ts";
import { each, HOSTILE, messageOf, NOW, sessionOf, whole } from "./sessions.ts";

const page = (messages: Parameters<typeof messageOf>[0][], title: string | null = "A talk") =>
  whole(exportSession("html", sessionOf({ title }), each(messages.map(messageOf)), NOW));

/** Elements in order, as a browser's tokenizer would find them: no raw text or attribute holds a bare `<` or `>`. */
const tagsOf = (html: string): string[] =>
  html.replace(/<style>[\s\S]*?<\/style>/, "").match(/<[^>]*>/g) ?? [];

const ALLOWED = new Set(
  "!doctype html head meta title body header h1 h2 h3 h4 h5 h6 dl dt dd main article time span div p pre code details summary a img strong em s ul ol li blockquote table thead tbody tr th td hr br".split(
    " ",
  ),
);

describe("an exported page", () => {
  test("holds the session, every message and its policy", async () => {
    const html = await page([
      { role: "user", content: "2 * 3 * 4 = ?" },
      {
        role: "assistant",
        content: "It is **24**.",
        reasoning: "2*3=6",
        tool_calls: [{ id: "call_1", type: "function", function: { name: "calc", arguments: '{"a":1}' } }],
      },
      { role: "tool", content: "<24>", tool_call_id: "call_1", tool_name: "calc", is_error: true },
      { role: "notice", content: "**Task cancelled.**", status: "cancelled" },
    ]);
    expect(html).toContain(
      `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">`,
    );
    expect(html).toContain("prefers-color-scheme: dark");
    expect(html).toContain("<title>A talk</title>");
    expect(html).toContain("2 * 3 * 4 = ?");
    expect(html).toContain("It is <strong>24</strong>.");
    expect(html).toContain("<summary>Reasoning</summary>");
    expect(html).toContain("Calls <code>calc</code> (call_1)");
    expect(html).toContain("{\n  &quot;a&quot;: 1\n}");
    expect(html).toContain("&lt;24&gt;");
    expect(html).toContain('<span class="outcome">error</span>');
    expect(html).toContain("<strong>Task cancelled.</strong>");
    expect(html).toContain('<time datetime="2026-');
    expect(html).not.toMatch(/<script|<link|<iframe| src="http/);
  });

  test.each(HOSTILE)("nothing of a message breaks out: %j", async (text) => {
    const html = await page(
      [
        { role: "user", content: text, reasoning: text },
        {
          role: "assistant",
          content: text,
          reasoning: text,
          tool_calls: [{ id: text, type: "function", function: { name: text, arguments: text } }],
        },
        { role: "tool", content: text, tool_call_id: text, tool_name: text },
        { role: "notice", content: text },
      ],
      text,
    );
    const tags = tagsOf(html);
    const names = tags.map((tag) => (/^<\/?([!a-z0-9]+)/.exec(tag) ?? [tag, tag])[1] ?? "");
    expect(names.filter((name) => !ALLOWED.has(name))).toEqual([]);
    expect(tags.filter((tag) => /\son[a-z]+\s*=/.test(tag.replace(/"[^"]*"/g, '""')))).toEqual([]);
    const urls = tags.flatMap((tag) =>
      [...tag.matchAll(/\s(href|src)="([^"]*)"/g)].map(([, attribute, url]) => `${attribute} ${url}`),
    );
    expect(urls.filter((url) => !/^href (https?:\/\/|mailto:)|^src data:image\/(png|gif)/.test(url))).toEqual(
      [],
    );
    expect(names.filter((name) => name === "article")).toHaveLength(8);
    const open: string[] = [];
    for (const [index, name] of names.entries()) {
      if (["!doctype", "meta", "img", "hr", "br"].includes(name)) continue;
      if (!tags[index]?.startsWith("</")) open.push(name);
      else expect(open.pop()).toBe(name);
    }
    expect(open).toEqual([]);
    expect(html).not.toMatch(/[^\P{Cc}\n\t]/u);
  });

  test("links lead to the web, pictures are the message's own", () => {
    const dot = "data:image/png;base64,iVBORw0KGgo=";
    expect(renderMarkdown(`[a](https://x.example/?a=1&b=2) ![dot](${dot})`)).toBe(
      `<p><a href="https://x.example/?a=1&amp;b=2" rel="noreferrer noopener">a</a> <img src="${dot}" alt="dot"></p>\n`,
    );
    expect(renderMarkdown(`[dot](${dot})`)).toBe("<p><a>dot</a></p>\n");
    expect(renderMarkdown("![p](https://x.example/p.png)")).toContain(
      '<a href="https://x.example/p.png" rel="noreferrer noopener">[p]</a>',
    );
    expect(renderMarkdown("[a](file:///etc/passwd) [b](/local) [c](//x.example)")).not.toContain("<a");
  });

  test("pictures among the parts are shown, remote ones are not", async () => {
    const html = await page([
      {
        role: "user",
        content: "[screenshot]",
        parts: [
          { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } },
          { type: "image_url", image_url: { url: "https://x.example/p.png" } },
          { type: "image_url", image_url: { url: 'data:image/png;base64,"><script>' } },
        ],
      },
    ]);
    expect(html.match(/<img [^>]*>/g)).toEqual([
      '<img src="data:image/png;base64,iVBORw0KGgo=" alt="picture">',
    ]);
  });

  test("definitions of one message do not reach another", async () => {
    const html = await page([
      { role: "assistant", content: "[User]: https://evil.example" },
      { role: "assistant", content: "[User]" },
    ]);
    expect(html).not.toContain("evil.example");
  });
});

import { describe, expect, test } from "@jest/globals";
import { ImportBody } from "../../../common/contracts/http.ts";
import type { Message } from "../../../common/contracts/message.ts";
import { exportSession } from "../../../common/exchange/export.ts";
import { EXPORT_TYPES, type ExportFormat, exportName } from "../../../common/exchange/formats.ts";
import { each, HOSTILE, messageOf, NOW, sessionOf, whole } from "./sessions.ts";

const FORMATS: readonly ExportFormat[] = ["json", "markdown", "html"];

describe("an exported JSON document", () => {
  test("is what an import takes, with nothing changed", async () => {
    const messages = HOSTILE.flatMap((text) => [
      messageOf({ role: "user", content: text }),
      messageOf({
        role: "assistant",
        content: text,
        reasoning: text,
        status: "partial",
        tool_calls: [{ id: "c", type: "function", function: { name: text, arguments: text } }],
      }),
      messageOf({ role: "tool", content: text, tool_call_id: "c", tool_name: text, is_error: true }),
      messageOf({ role: "notice", content: text, status: "cancelled" }),
    ]);
    const text = await whole(exportSession("json", sessionOf(), each(messages), NOW));
    const body = ImportBody.parse(JSON.parse(text));
    expect(body).toMatchObject({
      talaria_export: 1,
      exported_at: NOW,
      session: { title: "A talk", model: "m-1" },
    });
    expect(body.messages).toEqual(
      messages.map(({ id: _i, session_id: _s, run_id: _r, origin: _o, ...rest }) => rest),
    );
    expect(JSON.parse(text)).toEqual({
      talaria_export: 1,
      exported_at: NOW,
      session: sessionOf(),
      messages: JSON.parse(JSON.stringify(messages)),
    });
  });

  test("titles and times of other programs do not make it unreadable", async () => {
    const session = sessionOf({ title: `${"t".repeat(299)}😀`, model: "m".repeat(300) });
    const text = await whole(
      exportSession("json", session, each([messageOf({ role: "user", created_at: -5 })]), NOW),
    );
    expect(ImportBody.parse(JSON.parse(text)).messages[0]?.created_at).toBe(0);
  });

  test.each(FORMATS)("%s: an empty session is a document as well", async (format) => {
    const text = await whole(exportSession(format, sessionOf({ title: null, model: null }), each([]), NOW));
    expect(text.length).toBeGreaterThan(50);
    if (format === "json") expect(ImportBody.parse(JSON.parse(text)).messages).toEqual([]);
  });
});

describe.each(FORMATS)("streaming %s", (format) => {
  test("takes one message at a time and ends the source when the reader stops", async () => {
    let taken = 0;
    let ended = false;
    async function* endless(): AsyncIterable<Message> {
      try {
        for (;;) {
          taken++;
          yield messageOf({ role: "assistant", content: `answer ${taken}` });
        }
      } finally {
        ended = true;
      }
    }
    let pieces = 0;
    for await (const piece of exportSession(format, sessionOf(), endless(), NOW)) {
      expect(taken).toBeLessThanOrEqual(pieces + 1);
      expect(piece.length).toBeLessThan(10_000);
      if (++pieces === 20) break;
    }
    expect([taken, ended]).toEqual([19, true]);
  });

  test("what the source throws ends the export", async () => {
    async function* broken(): AsyncIterable<Message> {
      yield messageOf({ role: "user", content: "a" });
      throw new Error("gone");
    }
    await expect(whole(exportSession(format, sessionOf(), broken(), NOW))).rejects.toThrow("gone");
  });
});

describe("the name of an export", () => {
  test.each([
    ["Grüße aus Köln", "grusse-aus-koln"],
    ["../../etc/passwd", "etc-passwd"],
    ['a"; filename="b\r\nX: y', "a-filename-b-x-y"],
    ["日本語", "session"],
    ["", "session"],
    ["CON", "con"],
    ["x".repeat(500), "x".repeat(60)],
  ])("%j", (title, start) => {
    const name = exportName({ id: "ses_0001ABCD", title }, "markdown");
    expect(name.startsWith(start)).toBe(true);
    expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*\.md$/);
  });

  test("says what is inside", () => {
    expect(FORMATS.map((format) => exportName({ id: "ses_0001ABCD", title: null }, format))).toEqual([
      "session-0001abcd.json",
      "session-0001abcd.md",
      "session-0001abcd.html",
    ]);
    expect(exportName({ id: "___", title: null }, "json")).toBe("session.json");
    expect(EXPORT_TYPES.html).toBe("text/html; charset=utf-8");
  });
});

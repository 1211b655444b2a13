import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Message } from "../../../common/contracts/message.ts";
import type { Session } from "../../../common/contracts/session.ts";
import { alter, describeFile, mutate } from "../../common/state-db/read-files.ts";
import { eventually } from "../../helpers/wait.ts";
import { addProfile, type Desk, idsOf, newHome, openListed, type Refusal, rowsOf, told } from "./desk.ts";

let desk: Desk;
let ids: readonly string[];
beforeAll(async () => {
  const home = newHome("--sessions", "4", "--messages", "16");
  addProfile(home, "work");
  ({ desk, ids } = await openListed(home));
});
afterAll(() => desk.close());

const post = <T>(path: string, body: unknown = {}) => desk.call<T>("POST", `/api/sessions/${path}`, body);
const made = async (path: string, body: unknown = {}): Promise<Session> => {
  const { status, body: answer, headers } = await post<{ session: Session }>(path, body);
  expect([path, status]).toEqual([path, 201]);
  expect(headers.get("location")).toBe(`/api/sessions/${answer.session.id}`);
  return answer.session;
};
/** Resolves when the session's copies are in the file, so many. */
const inFile = (id: string, count: number) =>
  eventually(`${count} rows of ${id}`, () =>
    rowsOf(desk.file, `session_id = '${id}'`).length === count ? true : undefined,
  );
const inSession = (id: string, count: number) =>
  desk.settled(id, ({ message_count }) => message_count === count);
const exported = async <T = { messages: Message[]; session: Session; talaria_export: number }>(id: string) =>
  (await desk.call<T>("GET", `/api/sessions/${id}/export`)).body;

describe("fork", () => {
  test("copies through a message; for other programs it is a branch that they can go on with", async () => {
    const [id = ""] = ids;
    const before = await desk.messages(id);
    const rows = rowsOf(desk.file);
    const at = before.findIndex(({ role }, n) => n > 4 && role === "assistant");
    const fork = await made(`${id}/fork`, { through: before[at]?.id });
    expect(fork).toMatchObject({
      ...{ source: "talaria", forked_from: id, message_count: at + 1, unread_count: 0, pinned: false },
    });
    expect(told(await desk.messages(fork.id))).toEqual(told(before.slice(0, at + 1)));
    const shown = idsOf(await desk.messages(fork.id));
    await inFile(fork.id, at + 1);
    await inSession(fork.id, at + 1);
    expect(idsOf(await desk.messages(fork.id))).toEqual(shown);
    const branch = describeFile(desk.file).sessions.find((one) => one.id === fork.id);
    expect(branch).toMatchObject({
      parent: id,
      source: "webui",
      active: at + 1,
      visible: at + 1,
      end_reason: null,
    });
    expect(rowsOf(desk.file).slice(0, rows.length)).toEqual(rows);
    expect(await desk.messages(id)).toEqual(before);
    // What comes into one does not come into the other.
    mutate(desk.file, "--append", fork.id, "2", "--now");
    await inSession(fork.id, at + 3);
    await desk.turn(id, "only in the parent");
    await inSession(id, before.length + 2);
    await inSession(fork.id, at + 3);
    expect((await desk.messages(fork.id)).at(-1)?.origin).toBe("external");
  });

  test("with parts, calls, reasoning and notices; the model gets what it had", async () => {
    const id = await desk.newSession({ title: "rich" });
    await desk.turn(id, "one", [
      {
        ...{ role: "assistant", content: "", reasoning: "hm", status: "complete" },
        toolCalls: [{ id: "c1", type: "function", function: { name: "terminal", arguments: "{}" } }],
      },
      {
        role: "tool",
        content: "out",
        toolCallId: "c1",
        toolName: "terminal",
        isError: true,
        status: "complete",
      },
      { role: "notice", content: "between", status: "complete" },
      { role: "assistant", content: "done", status: "cancelled" },
      { role: "notice", content: "stopped", status: "cancelled" },
    ]);
    const before = await desk.messages(id);
    const fork = await made(`${id}/fork`, { title: "a name" });
    expect(fork).toMatchObject({ title: "a name", title_source: "user" });
    await inFile(fork.id, 4);
    await inSession(fork.id, before.length);
    const bare = (messages: readonly Message[]) =>
      messages.map(({ id: _id, session_id: _s, run_id: _r, created_at: _c, ...rest }) => rest);
    expect(bare(await desk.messages(fork.id))).toEqual(bare(before));
    const run = await desk.start(fork.id, "go on");
    const { messages } = await desk.api.transcript.context.contextOf(run.id);
    expect(messages.map(({ content }) => content)).toEqual(["one", "", "out", "done", "go on"]);
    await desk.finish(run.id);
    await inSession(fork.id, before.length + 2);
  });

  test("of a cut session has no removed message; undo in it goes into what was copied, for others as well", async () => {
    const id = await desk.newSession();
    for (const text of ["a", "b", "c"]) await desk.turn(id, text);
    expect(await post(`${id}/undo`)).toMatchObject({ status: 200 });
    const fork = await made(`${id}/fork`);
    await inFile(fork.id, 4);
    expect(await post(`${fork.id}/undo`)).toMatchObject({ status: 200 });
    await inSession(fork.id, 2);
    await eventually("the history of others", () =>
      rowsOf(desk.file, `session_id = '${fork.id}' AND active = 1`).length === 2 ? true : undefined,
    );
    await inSession(id, 4);
    // Undo at once, before the copies are in the file.
    const early = await made(`${id}/fork`);
    await post(`${early.id}/undo`);
    await inSession(early.id, 2);
    await eventually("the early one's history", () =>
      rowsOf(desk.file, `session_id = '${early.id}' AND active = 1`).length === 2 ? true : undefined,
    );
    await inSession(early.id, 2);
    expect(told(await desk.messages(early.id))).toEqual(["user|a|", "assistant|answer to a|"]);
  });

  test("tells nobody of outside changes", async () => {
    const [, id = ""] = ids;
    const { length } = await desk.messages(id);
    const fork = await made(`${id}/fork`);
    const events = await desk.events(fork.id);
    await inFile(fork.id, length);
    mutate(desk.file, "--append", fork.id, "1", "--now");
    await events.until(({ session }) => session.message_count === length + 1);
    expect(events.changes().filter(({ reason }) => reason === "external")).toHaveLength(1);
    events.drop();
  });

  test("through nobody's message is 404; of nobody's session, too", async () => {
    const [id = ""] = ids;
    const answer = await post<Refusal>(`${id}/fork`, { through: "nobody" });
    expect([answer.status, answer.body.error.code]).toEqual([404, "message_not_found"]);
    const gone = await post<Refusal>("nobody/fork");
    expect([gone.status, gone.body.error.code]).toEqual([404, "session_not_found"]);
    expect((await post(`${id}/fork`, { through: "" })).status).toBe(400);
    expect((await post(`${id}/fork`, { upto: "x" })).status).toBe(400);
  });

  test("of a fork, and of an empty session", async () => {
    const [, , id = ""] = ids;
    const first = await made(`${id}/fork`);
    const second = await made(`${first.id}/fork`);
    expect(told(await desk.messages(second.id))).toEqual(told(await desk.messages(id)));
    const empty = await made(`${await desk.newSession()}/fork`);
    expect(empty.message_count).toBe(0);
    await desk.turn(empty.id, "first");
    await inSession(empty.id, 2);
    await inSession(second.id, 16);
  });
});

test("duplicate copies everything and says so in the title", async () => {
  const id = await desk.newSession({ title: "Plans" });
  await desk.turn(id, "one");
  const copy = await made(`${id}/duplicate`);
  expect(copy).toMatchObject({ title: "Plans (copy)", forked_from: id, message_count: 2 });
  expect(told(await desk.messages(copy.id))).toEqual(told(await desk.messages(id)));
  expect((await made(`${id}/duplicate`, { title: "Other plans" })).title).toBe("Other plans");
});

describe("export and import", () => {
  test("what was exported is imported as the same conversation, into the file as well", async () => {
    const [, , , id = ""] = ids;
    await desk.turn(id, 'hostile <script>alert(1)</script> "quotes" \u2028 😀', [
      { role: "assistant", content: "answer\u0000with nul", reasoning: "thought", status: "complete" },
      { role: "notice", content: "stopped", status: "cancelled" },
    ]);
    await inSession(id, 19);
    const file = await exported(id);
    expect(file.talaria_export).toBe(1);
    expect(file.messages).toHaveLength(19);
    const copy = await made("import", { ...file, profile: "work" });
    expect(copy).toMatchObject({ profile: "work", source: "talaria", forked_from: null, message_count: 19 });
    expect(told(await desk.messages(copy.id))).toEqual(told(await desk.messages(id)));
    await eventually("the copies in the profile's file", async () => {
      try {
        return rowsOf(desk.fileOf("work"), `session_id = '${copy.id}'`).length === 18 ? true : undefined;
      } catch {
        return undefined;
      }
    });
    await inSession(copy.id, 19);
    const again = await exported(copy.id);
    expect(told(again.messages)).toEqual(told(file.messages));
    expect(again.messages.map(({ reasoning }) => reasoning)).toEqual(
      file.messages.map(({ reasoning }) => reasoning),
    );
    expect(again.messages.map(({ tool_calls }) => tool_calls)).toEqual(
      file.messages.map(({ tool_calls }) => tool_calls),
    );
  });

  test.each([
    ["json", "application/json; charset=utf-8", "json"],
    ["markdown", "text/markdown; charset=utf-8", "md"],
    ["html", "text/html; charset=utf-8", "html"],
  ])("%s has its type and a plain file name", async (format, type, extension) => {
    const id = await desk.newSession({ title: 'Über "uns"\r\n; filename=evil/../x' });
    await desk.turn(id, "<img src=x onerror=alert(1)>");
    const answer = await fetch(`${desk.api.url}/api/sessions/${id}/export?format=${format}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe(type);
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    const name = answer.headers.get("content-disposition") ?? "";
    expect(name).toMatch(new RegExp(`^attachment; filename="[a-z0-9-]+\\.${extension}"$`));
    const text = await answer.text();
    if (format === "html") expect(text).not.toContain("<img src=x");
  });

  test("an unknown format is 400, an unknown session 404", async () => {
    const [id = ""] = ids;
    expect((await desk.call("GET", `/api/sessions/${id}/export?format=pdf`)).status).toBe(400);
    expect((await desk.call("GET", "/api/sessions/nobody/export")).status).toBe(404);
  });

  const message = { role: "user", content: "x", status: "complete", created_at: 1 };
  const whole = { talaria_export: 1, session: { title: "t" }, messages: [message] };
  test.each<[string, unknown]>([
    ["nothing", {}],
    ["no object", [whole]],
    ["another version", { ...whole, talaria_export: 2 }],
    ["no messages", { talaria_export: 1, session: {} }],
    ["a role that is none", { ...whole, messages: [{ ...message, role: "system" }] }],
    ["a content that is no text", { ...whole, messages: [{ ...message, content: [{ type: "text" }] }] }],
    ["a time that is none", { ...whole, messages: [{ ...message, created_at: "yesterday" }] }],
    ["a time before time", { ...whole, messages: [{ ...message, created_at: -1 }] }],
    ["a time after all time", { ...whole, messages: [{ ...message, created_at: 1e300 }] }],
    ["a status that is none", { ...whole, messages: [{ ...message, status: "great" }] }],
    ["calls that are none", { ...whole, messages: [{ ...message, tool_calls: [{ id: 5 }] }] }],
    ["a title too long", { ...whole, session: { title: "x".repeat(301) } }],
    ["unknown fields", { ...whole, id: "mine" }],
    ["a profile that is a path", { ...whole, profile: "../x" }],
    ["too many messages", { ...whole, messages: Array(20_001).fill(message) }],
  ])("a body with %s is 400 with details, and makes no session", async (_what, body) => {
    const before = (await desk.sessions()).length;
    const { status, body: answer } = await post<Refusal>("import", body);
    expect([status, answer.error.code]).toEqual([400, "invalid_request"]);
    expect(JSON.stringify(answer).length).toBeLessThan(5_000);
    expect(await desk.sessions()).toHaveLength(before);
  });

  test("a profile that does not exist is 404; odd ids and unknown fields in messages are left out", async () => {
    expect((await post("import", { ...whole, profile: "nobody" })).status).toBe(404);
    const odd = {
      ...message,
      id: "../../x",
      session_id: "other",
      run_id: "r",
      more: { deep: 1 },
    };
    const session = await made("import", { ...whole, messages: [odd, odd] });
    const messages = await desk.messages(session.id);
    expect(
      messages.every(
        ({ session_id, run_id, origin }) =>
          session_id === session.id && run_id === null && origin === "import",
      ),
    ).toBe(true);
    await inFile(session.id, 2);
    await inSession(session.id, 2);
  });

  test("messages whose times stand in no order keep their order; empty ones stay", async () => {
    const texts = ["third", "first", "", "second", "first"];
    const times = [300, 100, 100, 200, 100];
    const session = await made("import", {
      ...whole,
      messages: texts.map((content, n) => ({
        ...message,
        role: n % 2 ? "assistant" : "user",
        content,
        created_at: times[n],
      })),
    });
    await inFile(session.id, 4);
    await inSession(session.id, 5);
    expect((await desk.messages(session.id)).map(({ content }) => content)).toEqual(texts);
    for (const limit of [1, 2])
      expect((await desk.messages(session.id, limit)).map(({ content }) => content)).toEqual(texts);
    expect((await exported(session.id)).messages.map(({ content }) => content)).toEqual(texts);
  });

  test("a foreign conversation with odd titles, models and times can be exported and imported", async () => {
    alter(
      desk.file,
      "INSERT INTO sessions (id, source, started_at, title, model, message_count) VALUES ('odd', 'cli', 1790000000, ?, ?, 0)",
      "t".repeat(400),
      "m".repeat(400),
    );
    mutate(desk.file, "--append", "odd", "3", "--per-commit", "3");
    alter(desk.file, "UPDATE messages SET timestamp = -5 WHERE session_id = 'odd' AND role = 'assistant'");
    await desk.listed("odd");
    await inSession("odd", 3);
    const file = await exported("odd");
    const copy = await made("import", file);
    expect(told(await desk.messages(copy.id))).toEqual(told(await desk.messages("odd")));
  });
});

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { abandonedResult } from "../../../common/contracts/abandoned-result.ts";
import type { Message } from "../../../common/contracts/message.ts";
import { alter, mutate, python } from "../../common/state-db/read-files.ts";
import { eventually } from "../../helpers/wait.ts";
import { type Desk, describedSession, idsOf, newHome, openListed, rowsOf, told } from "./desk.ts";

let desk: Desk;
let ids: readonly string[];
beforeAll(async () => {
  const home = newHome("--sessions", "8", "--messages", "12", "--subagents", "1", "--branches", "1");
  ({ desk, ids } = await openListed(home));
});
afterAll(() => desk.close());

const idOf = (index: number): string => ids[index] ?? "";

describe("a state.db that was there before us", () => {
  test("its conversations are listed with their own ids, sources, titles and counts; nothing is unread", async () => {
    await Promise.all(ids.map((id) => desk.settled(id)));
    const listed = await desk.sessions();
    expect(listed.map(({ id }) => id).sort()).toEqual([...ids].sort());
    for (const session of listed) {
      const { source, visible } = describedSession(desk.file, session.id);
      expect(session).toMatchObject({
        source,
        message_count: visible,
        unread_count: 0,
        active_run_id: null,
        profile: "default",
      });
      expect(session.last_message).not.toBeNull();
    }
  });

  test("e.65 branch and delegate children are not merged into the parent; delegates are not listed", async () => {
    const branch = (await desk.sessions()).filter(({ forked_from }) => forked_from !== null);
    expect(branch).toHaveLength(1);
    const parent = branch[0]?.forked_from ?? "";
    expect((await desk.messages(parent)).length).toBe(describedSession(desk.file, parent).visible);
    expect((await desk.sessions()).some(({ source }) => source === "subagent")).toBe(false);
  });

  test("messages have the writer's source as origin and the store's times", async () => {
    const [id] = ids;
    const rows = rowsOf(desk.file, `session_id = '${id}'`);
    const messages = await desk.messages(id ?? "");
    expect(messages.map(({ created_at }) => created_at)).toEqual(rows.map(({ timestamp }) => timestamp));
    expect(new Set(messages.map(({ origin }) => origin))).toEqual(
      new Set([describedSession(desk.file, id ?? "").source]),
    );
    expect(messages.every(({ run_id }) => run_id === null)).toBe(true);
    expect(JSON.stringify(messages)).not.toContain("api_content");
  });
});

describe("what another program appends", () => {
  test("is told within one second as an outside change, and shown exactly once, in its order", async () => {
    const id = idOf(1);
    const before = await desk.settled(id);
    const shown = idsOf(await desk.messages(id));
    const events = await desk.events(id);
    mutate(desk.file, "--append", id, "3", "--per-commit", "3", "--now");
    const started = performance.now();
    const change = await events.until(({ session }) => session.message_count === before.message_count + 3);
    expect(performance.now() - started).toBeLessThan(1_000);
    expect(change).toMatchObject({ reason: "external", origin: describedSession(desk.file, id).source });
    expect(change.session.revision).toBeGreaterThan(before.revision);
    expect(change.session.unread_count).toBe(3);
    const after = await desk.messages(id);
    expect(idsOf(after).slice(0, shown.length)).toEqual(shown);
    expect(after).toHaveLength(shown.length + 3);
    const last = rowsOf(desk.file, `session_id = '${id}'`).at(-1);
    expect(after.at(-1)?.content).toBe(last?.content);
    expect(change.session.last_message?.role).toBe(last?.role);
    expect(await desk.head(id)).toMatchObject({ message_count: after.length, stale: false, store: "ok" });
    events.drop();
  });

  test("is told of with old times and equal times, too", async () => {
    const id = idOf(2);
    const { message_count } = await desk.settled(id);
    mutate(desk.file, "--append", id, "2", "--per-commit", "2");
    alter(desk.file, "UPDATE messages SET timestamp = 5 WHERE id = (SELECT MAX(id) FROM messages)");
    await desk.settled(id, (head) => head.message_count === message_count + 2);
    alter(
      desk.file,
      "INSERT INTO messages (session_id, role, content, timestamp) SELECT session_id, 'user', 'old clock', 7 FROM messages WHERE session_id = ? LIMIT 1",
      id,
    );
    await desk.settled(id, (head) => head.message_count === message_count + 3);
    expect((await desk.messages(id)).at(-1)?.content).toBe("old clock");
  });

  test("in many commits is counted once each, whoever reads meanwhile, with every page size", async () => {
    const id = idOf(3);
    const { message_count } = await desk.settled(id);
    const known = idsOf(await desk.messages(id));
    for (const limit of [1, 3, 50]) {
      const pages: (readonly Message[])[] = [];
      for (let cursor: string | null = ""; cursor !== null; ) {
        const page = await desk.page(id, `?limit=${limit}${cursor === "" ? "" : `&before=${cursor}`}`);
        pages.unshift(page.data);
        cursor = page.next_cursor;
        if (pages.length < 6) python(desk.file, "--append", id, "2", "--per-commit", "1");
      }
      const read = idsOf(pages.flat());
      expect(read.slice(0, known.length)).toEqual(known);
    }
    const total = describedSession(desk.file, id).visible;
    expect(total).toBeGreaterThan(message_count);
    await desk.settled(id, (head) => head.message_count === total);
  });

  test("a cursor stays good: the same page comes again after rows were added and after a restart of the reader", async () => {
    const id = idOf(4);
    await desk.settled(id);
    const first = await desk.page(id, "?limit=4");
    const second = await desk.page(id, `?limit=4&before=${first.next_cursor}`);
    mutate(desk.file, "--append", id, "5");
    const again = await desk.page(id, `?limit=4&before=${first.next_cursor}`);
    expect(again.data).toEqual(second.data);
    expect(again.next_cursor).toBe(second.next_cursor);
  });

  test("a new conversation appears in the list by itself, with what is unread", async () => {
    python(desk.file, "--append", idOf(0), "1");
    alter(
      desk.file,
      "INSERT INTO sessions (id, source, started_at, title, message_count) VALUES ('fresh_one', 'telegram', 1790000000, 'A fresh one', 0)",
    );
    mutate(desk.file, "--append", "fresh_one", "4", "--per-commit", "4");
    await desk.listed("fresh_one");
    await desk.settled("fresh_one", (head) => head.message_count === 4);
    expect(await desk.session("fresh_one")).toMatchObject({
      source: "telegram",
      title: "A fresh one",
      unread_count: 4,
    });
  });

  test("e.78 a heartbeat or another title of the store changes no revision, or only for the title", async () => {
    const id = idOf(5);
    const { revision } = await desk.settled(id);
    alter(desk.file, "UPDATE sessions SET last_activity_at = last_activity_at + 60 WHERE id = ?", id);
    // Told after the heartbeat, so that the heartbeat was looked at.
    alter(desk.file, "UPDATE sessions SET title = 'renamed elsewhere' WHERE id = ?", id);
    const renamed = await eventually("the new title", async () => {
      const session = await desk.session(id);
      return session.title === "renamed elsewhere" ? session : undefined;
    });
    expect(renamed.revision).toBe(revision + 1);
    alter(desk.file, "UPDATE sessions SET last_activity_at = last_activity_at + 60 WHERE id = ?", id);
    mutate(desk.file, "--append", idOf(6), "1");
    await desk.settled(idOf(6));
    expect((await desk.session(id)).revision).toBe(revision + 1);
  });

  test("hidden, empty and bookkeeping rows are neither shown nor counted nor told of", async () => {
    const id = idOf(5);
    const { message_count, revision } = await desk.settled(id);
    const insert =
      "INSERT INTO messages (session_id, role, content, timestamp, display_kind, active) VALUES (?, ?, ?, 1799000000, ?, ?)";
    alter(desk.file, insert, id, "user", "scaffold", "hidden", 1);
    alter(desk.file, insert, id, "system", "you are", null, 1);
    alter(desk.file, insert, id, "session_meta", "meta", null, 1);
    alter(desk.file, insert, id, "assistant", "", null, 1);
    alter(desk.file, insert, id, "user", "shown", null, 1);
    const head = await desk.settled(id, (now) => now.message_count === message_count + 1);
    expect(head.revision).toBeLessThanOrEqual(revision + 5);
    expect((await desk.messages(id)).at(-1)?.content).toBe("shown");
  });

  test("e.70 rows whose active flag is NULL are shown, counted and given to the model", async () => {
    const home = newHome(
      "--sessions",
      "1",
      "--messages",
      "12",
      "--schema-version",
      "31",
      "--legacy-null-active",
      "--upgraded-from",
      "10",
    );
    const {
      desk: other,
      ids: [id = ""],
    } = await openListed(home);
    const head = await other.settled(id);
    expect(head.message_count).toBe(describedSession(other.file, id).visible);
    const run = await other.start(id, "next");
    const { messages } = await other.api.transcript.context.contextOf(run.id);
    expect(messages).toHaveLength(describedSession(other.file, id).active + 1);
    await other.close();
  });

  test("e.60 a rewind in another client hides the rows here and lowers the count", async () => {
    const id = idOf(7);
    const before = await desk.settled(id);
    const events = await desk.events(id);
    mutate(desk.file, "--rewind", id, "1");
    const change = await events.until(({ session }) => session.message_count < before.message_count);
    expect(change.reason).toBe("external");
    const { visible } = describedSession(desk.file, id);
    const head = await desk.settled(id, ({ message_count }) => message_count === visible);
    expect(head.revision).toBeGreaterThan(before.revision);
    events.drop();
  });

  test("after a rewind below what was read, what comes next is unread", async () => {
    const id = idOf(7);
    expect((await desk.call("POST", `/api/sessions/${id}/read`, {})).status).toBe(200);
    mutate(desk.file, "--rewind", id, "1");
    const { visible } = describedSession(desk.file, id);
    await desk.settled(id, ({ message_count }) => message_count === visible);
    mutate(desk.file, "--append", id, "2", "--per-commit", "2");
    await desk.settled(id, ({ message_count }) => message_count === visible + 2);
    expect((await desk.session(id)).unread_count).toBe(2);
  });
});

describe("our turns and those of others", () => {
  test("own turn: no outside change is told, ids and order stay as they were", async () => {
    const id = await desk.newSession({ title: "mine alone" });
    const events = await desk.events(id);
    const run = await desk.start(id, "first");
    const pending = await desk.messages(id);
    expect(idsOf(pending)).toEqual([`${run.id}-0`]);
    await desk.finish(run.id, [
      {
        role: "assistant",
        content: "",
        toolCalls: [{ id: "c1", type: "function", function: { name: "terminal", arguments: "{}" } }],
        status: "complete",
      },
      {
        role: "tool",
        content: "out",
        toolCallId: "c1",
        toolName: "terminal",
        isError: true,
        status: "complete",
      },
      { role: "assistant", content: "answer", reasoning: "thought", status: "complete" },
      { role: "notice", content: "stopped", status: "cancelled" },
    ]);
    await eventually("the turn in state.db", () =>
      rowsOf(desk.file, `session_id = '${id}'`).length === 4 ? true : undefined,
    );
    const head = await desk.settled(id, ({ message_count, store }) => message_count === 5 && store === "ok");
    const messages = await desk.messages(id);
    expect(idsOf(messages)).toEqual([0, 1, 2, 3, 4].map((n) => `${run.id}-${n}`));
    expect(messages.every(({ run_id, origin }) => run_id === run.id && origin === "talaria")).toBe(true);
    expect(messages[2]).toMatchObject({ is_error: true, tool_name: "terminal", tool_call_id: "c1" });
    expect(messages[3]).toMatchObject({ reasoning: "thought", status: "complete" });
    expect(messages[4]).toMatchObject({ role: "notice", content: "stopped", status: "cancelled" });
    const second = await desk.turn(id, "second");
    // What another program adds is the end of what has to be looked at.
    mutate(desk.file, "--append", id, "1", "--now");
    await events.until(({ session }) => session.message_count === 8);
    const outside = events.changes().filter(({ reason }) => reason === "external");
    expect(outside.map(({ session }) => session.message_count)).toEqual([8]);
    expect(idsOf(await desk.messages(id))).toEqual([
      ...[0, 1, 2, 3, 4].map((n) => `${run.id}-${n}`),
      ...[0, 1].map((n) => `${second}-${n}`),
      expect.stringMatching(/^m_/),
    ]);
    expect((await desk.head(id)).revision).toBeGreaterThan(head.revision);
    events.drop();
  });

  test("our own title in a row of ours is no news when the file's sessions are looked at", async () => {
    const id = await desk.newSession();
    await desk.turn(id, "a provisional title");
    const events = await desk.events(id);
    const { revision } = await desk.settled(id, ({ store }) => store === "ok");
    // No row is added, so every session is looked at; the other title tells when that was done.
    alter(desk.file, "UPDATE sessions SET title = 'looked at' WHERE id = ?", idOf(4));
    await eventually("the other title", async () =>
      (await desk.session(idOf(4))).title === "looked at" ? true : undefined,
    );
    await eventually("the title of ours to be known", async () =>
      (await desk.api.db.read.sessionRow(id))?.store_title === "a provisional title" ? true : undefined,
    );
    expect(await desk.session(id)).toMatchObject({ revision, title_source: "provisional" });
    expect(events.changes()).toEqual([]);
    events.drop();
  });

  test("e.77 an outside row while our run streams: ordered as state.db has it, in the next context, not in this one", async () => {
    const id = await desk.newSession();
    await desk.turn(id, "one");
    await desk.settled(id, ({ store }) => store === "ok");
    const run = await desk.start(id, "two");
    const first = await desk.api.transcript.context.contextOf(run.id);
    mutate(desk.file, "--append", id, "2", "--per-commit", "2", "--now");
    await desk.settled(id, ({ message_count }) => message_count === 5);
    // A second attempt of the same run gets what the first one got.
    const again = await desk.api.transcript.context.contextOf(run.id);
    expect(told(again.messages)).toEqual(told(first.messages));
    await desk.finish(run.id, "two is done");
    await desk.settled(id, ({ message_count }) => message_count === 6);
    const rows = rowsOf(desk.file, `session_id = '${id}'`);
    const messages = await desk.messages(id);
    expect(messages.map(({ content }) => content)).toEqual(rows.map(({ content }) => content));
    expect(messages.map(({ origin }) => origin)).toEqual([
      "talaria",
      "talaria",
      "external",
      "external",
      "talaria",
      "talaria",
    ]);
    const next = await desk.start(id, "three");
    const { messages: context } = await desk.api.transcript.context.contextOf(next.id);
    // As it was sent, where the file knows that; a call that no row answers gets a result.
    const sent = rows.flatMap(({ content, api_content, tool_calls }) => [
      api_content ?? content,
      ...(JSON.parse(String(tool_calls ?? "[]")) as unknown[]).map(() => abandonedResult("stopped")),
    ]);
    expect(context.map(({ content }) => content)).toEqual([...sent, "three"]);
    await desk.finish(next.id);
  });

  test("e.76 rows that are there before a run starts are in its context", async () => {
    const id = idOf(6);
    mutate(desk.file, "--append", id, "3", "--per-commit", "3");
    const run = await desk.start(id, "go on");
    const { messages } = await desk.api.transcript.context.contextOf(run.id);
    expect(messages).toHaveLength(describedSession(desk.file, id).active + 1);
    const last = rowsOf(desk.file, `session_id = '${id}'`).at(-1);
    expect(messages.at(-2)?.content).toBe(last?.api_content ?? last?.content);
    await desk.finish(run.id);
  });

  test("a turn of ours in a conversation of another program goes into that one", async () => {
    const id = idOf(0);
    const { message_count } = await desk.settled(id);
    const others = rowsOf(desk.file, `session_id = '${id}'`);
    const run = await desk.turn(id, "from the browser");
    await desk.settled(id, (head) => head.message_count === message_count + 2);
    const rows = rowsOf(desk.file, `session_id = '${id}'`);
    expect(rows.slice(0, others.length)).toEqual(others);
    expect(rows.slice(others.length).map(({ content }) => content)).toEqual([
      "from the browser",
      "answer to from the browser",
    ]);
    expect(idsOf(await desk.messages(id)).slice(-2)).toEqual([`${run}-0`, `${run}-1`]);
    // Our own message has been seen, and everything before it; the answer has not.
    expect(await desk.session(id)).toMatchObject({ unread_count: 1 });
  });

  test("messages without a text stay, whatever state.db makes of them", async () => {
    const id = await desk.newSession();
    const run = await desk.turn(id, "  \n", [
      { role: "assistant", content: "", status: "partial" },
      { role: "notice", content: "stopped", status: "cancelled" },
    ]);
    expect(idsOf(await desk.messages(id))).toEqual([0, 1, 2].map((n) => `${run}-${n}`));
    const next = await desk.turn(id, "again");
    await desk.settled(id, ({ message_count }) => message_count === 5);
    expect(idsOf(await desk.messages(id))).toEqual([
      ...[0, 1, 2].map((n) => `${run}-${n}`),
      ...[0, 1].map((n) => `${next}-${n}`),
    ]);
  });
});

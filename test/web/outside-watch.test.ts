import { describe, expect, it } from "@jest/globals";
import type { Message } from "../../common/contracts/message.ts";
import { answer, openPage, pass, stopTime } from "./page.ts";
import { message, session } from "./story.ts";

/** A server of one or more sessions; the event stream answers with `stream.status`. */
const setUp = (unread = 0) => {
  const calls: string[] = [];
  const headers: (string | null)[] = [];
  const data = {
    session: { ...session("s", 1), message_count: 1, unread_count: unread },
    messages: [{ ...message("x", "user", "one"), id: "1", run_id: null }] as Message[],
    stream: 503,
    head: 200,
    etag: '"1"',
    hold: null as Promise<void> | null,
  };
  const request = (async (url: string, init: RequestInit) => {
    if (url.startsWith("/api/events"))
      return new Response(data.stream === 200 ? new ReadableStream() : null, { status: data.stream });
    calls.push(`${init.method} ${url}`);
    const known = new Headers(init.headers).get("If-None-Match");
    if (url.endsWith("/head")) {
      headers.push(known);
      if (data.head !== 200) return answer({ error: { code: "overloaded", message: "no" } }, data.head);
      if (known === data.etag) return answer(null, 304);
      const { message_count, last_message_at, revision, active_run_id } = data.session;
      const head = { message_count, last_message_at, revision, active_run_id, last_event_id: null };
      return answer({ ...head, store: "ok", stale: false }, 200, data.etag);
    }
    if (url.includes("/messages")) {
      const page = {
        data: [...data.messages],
        next_cursor: null,
        revision: data.session.revision,
        store: "ok",
      };
      await data.hold;
      return answer(page);
    }
    const named = /^\/api\/sessions\/(\w+)(\/read)?$/.exec(url)?.[1];
    if (named !== undefined) return answer({ session: { ...data.session, id: named } });
    return answer({ data: [], next_cursor: null, indexing: false, bot_name: "Hermes" });
  }) as typeof fetch;
  const page = openPage(request, { selected: "s" });
  const change = (text: string): void => {
    const id = `${data.messages.length + 1}`;
    data.messages.push({ ...message("x", "user", text), id, run_id: null, origin: "cli" });
    const { revision } = data.session;
    data.session = { ...data.session, revision: revision + 1, message_count: data.messages.length };
    data.etag = `"${revision + 1}"`;
  };
  const count = (part: string): number => calls.filter((call) => call.includes(part)).length;
  const texts = () =>
    page.workbench
      .getState()
      .open.get("s")
      ?.messages.map((m) => m.content);
  return { ...page, data, calls, headers, change, count, texts };
};

stopTime();

describe("while the event stream is away", () => {
  it("B1 fallback: after 5 s the head is asked every 5 s with its ETag, and only a change is read", async () => {
    const { count, change, headers, texts } = setUp();
    await pass(4_000);
    expect(count("/head")).toBe(0);
    await pass(2_000);
    expect(count("/head")).toBe(1);
    await pass(10_000);
    expect(count("/head")).toBe(3);
    expect(headers).toEqual([null, '"1"', '"1"']);
    expect(count("/messages")).toBe(1);
    change("two");
    await pass(5_100);
    expect(texts()).toEqual(["one", "two"]);
    expect(count("/messages")).toBe(2);
  });

  it("B1 fallback: ends when the stream is back", async () => {
    const { count, data } = setUp();
    await pass(6_000);
    data.stream = 200;
    await pass(15_000);
    const asked = count("/head");
    await pass(15_000);
    expect(count("/head")).toBe(asked);
  });

  it("B1 coming back: one check, at most one in a second", async () => {
    const { count, comeBack, data } = setUp();
    data.stream = 200;
    await pass(2_000);
    comeBack();
    comeBack();
    await pass(500);
    comeBack();
    expect(count("/head")).toBe(1);
    await pass(1_000);
    comeBack();
    await pass(10);
    expect(count("/head")).toBe(2);
  });

  it("B2 skip: a hidden page and a message edited in place ask nothing", async () => {
    const { count, tab, workbench } = setUp();
    await pass(1_000);
    tab.hidden = true;
    await pass(20_000);
    expect(count("/head")).toBe(0);
    tab.hidden = false;
    workbench.setEditing("s", "1");
    await pass(20_000);
    expect(count("/head")).toBe(0);
    workbench.setEditing("s", null);
    await pass(5_100);
    expect(count("/head")).toBe(1);
  });

  it("B7 single flight: one read at a time, signals meanwhile make one more", async () => {
    const { count, change, data, comeBack, texts } = setUp();
    await pass(6_000);
    let release: () => void = () => undefined;
    data.hold = new Promise((resolve) => {
      release = resolve;
    });
    change("two");
    await pass(5_100);
    expect(count("/messages")).toBe(2);
    for (const text of ["three", "four"]) {
      change(text);
      comeBack();
      await pass(5_100);
    }
    expect(count("/messages")).toBe(2);
    data.hold = null;
    release();
    await pass(100);
    expect(texts()).toEqual(["one", "two", "three", "four"]);
    expect(count("/messages")).toBe(3);
  });

  it("B10 errors: the pauses grow, the transcript stays, after three the person is told", async () => {
    const { count, data, workbench, texts } = setUp();
    await pass(4_000);
    data.head = 503;
    await pass(2_000);
    expect(count("/head")).toBe(1);
    await pass(6_000);
    expect(count("/head")).toBe(1);
    await pass(6_000);
    expect(count("/head")).toBe(2);
    expect(workbench.getState().outdated).toBe(false);
    await pass(25_000);
    expect(count("/head")).toBe(3);
    expect(workbench.getState().outdated).toBe(true);
    expect(texts()).toEqual(["one"]);
    data.head = 200;
    await pass(60_000);
    expect(workbench.getState().outdated).toBe(false);
  });

  it("B10 gone: a 404 shows that the session is gone", async () => {
    const { data, workbench } = setUp();
    await pass(4_000);
    data.head = 404;
    await pass(3_000);
    expect(workbench.getState().open.get("s")?.phase).toBe("missing");
  });

  it("marks as read once, and not while nobody looks or the reader is further up", async () => {
    const { data, count, tab, comeBack, workbench } = setUp(2);
    data.stream = 200;
    tab.hidden = true;
    await pass(1_000);
    expect(count("/read")).toBe(0);
    workbench.setAway("s", true);
    tab.hidden = false;
    comeBack();
    await pass(100);
    expect(count("/read")).toBe(0);
    workbench.setAway("s", false);
    await pass(5_000);
    expect(count("/read")).toBe(1);
  });
});

describe("a message that was searched for", () => {
  it("in a session that was not open is shown when its messages have come, and asks for the session once", async () => {
    const { workbench, data, calls } = setUp();
    const held = Promise.withResolvers<void>();
    data.hold = held.promise;
    workbench.reveal("other", "1");
    await pass(10);
    expect(workbench.getState().open.get("other")?.reveal).toBeNull();
    held.resolve();
    await pass(10);
    expect(workbench.getState().open.get("other")?.reveal).toBe("1");
    expect(calls.filter((call) => call === "GET /api/sessions/other")).toHaveLength(1);
  });
});

import { describe, expect, it } from "@jest/globals";
import { createAppState, reduceApp } from "../../api/web/model/app-state.ts";
import { mergeLatestPage } from "../../api/web/model/messages.ts";
import { reduceSession } from "../../api/web/model/reduce-session.ts";
import type { Message } from "../../common/contracts/message.ts";
import { createJournal, feed, loaded, message, screen, session } from "./story.ts";

const line = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => message(`r${from + i}`, "user", `${from + i}`));
const page = (data: readonly Message[]) => ({ data, hasOlder: true, complete: true });
const NO_RUNS: ReadonlySet<string> = new Set();

describe("the transcript", () => {
  it("same-prompt-twice (R-39): equal texts are two messages, matched by id", () => {
    const state = loaded([
      message("a", "user", "continue"),
      message("a", "assistant", "1"),
      message("b", "user", "continue"),
      message("b", "assistant", "2"),
    ]);
    expect(screen(state)).toEqual(["you: continue", "text: 1", "you: continue", "text: 2"]);
  });

  it("merges the newest page over what is there and keeps what it does not reach", () => {
    const { messages, contiguous } = mergeLatestPage(line(0, 50), page(line(40, 60)), NO_RUNS);
    expect(contiguous).toBe(true);
    expect(messages.map((m) => m.content)).toEqual(line(0, 60).map((m) => m.content));
  });

  it("begins anew from a page that does not reach back, rather than hide a hole", () => {
    const { messages, contiguous } = mergeLatestPage(line(0, 10), page(line(40, 60)), new Set(["r3"]));
    expect(contiguous).toBe(false);
    expect(messages.map((m) => m.run_id)).toEqual([...line(40, 60).map((m) => m.run_id), "r3"]);
  });

  it("keeps the objects of unchanged messages, so that nothing is drawn again", () => {
    const known = line(0, 5);
    const { messages } = mergeLatestPage(known, { ...page(line(0, 5)), hasOlder: false }, NO_RUNS);
    expect(messages.every((m, i) => m === known[i])).toBe(true);
  });

  it("puts older pages before, each message once", () => {
    const state = reduceSession(loaded(line(10, 20)), {
      type: "older_messages",
      page: { data: line(0, 12), next_cursor: "c" },
    });
    expect(state.messages.map((m) => m.content)).toEqual(line(0, 20).map((m) => m.content));
    expect(state.older).toBe("c");
  });

  it("switch-away-and-back (R-48): a session out of view keeps its text and the cursor that belongs to it", () => {
    const journal = createJournal("a");
    journal.queued("r", "hello");
    journal.started("r");
    for (let i = 0; i < 9; i++) journal.token("r", `${i}`);
    const act = (state: ReturnType<typeof createAppState>, from: number, to: number) =>
      reduceApp(state, {
        type: "session_action",
        id: "a",
        actions: journal.frames.slice(from, to).map((frame) => ({ type: "frame", frame })),
      });
    let app = act(createAppState("a"), 0, 6);
    app = reduceApp(app, { type: "select", id: "b" });
    expect(app.open.get("b")?.messages).toEqual([]);
    app = reduceApp(app, { type: "select", id: "a" });
    const cursor = app.open.get("a")?.cursor;
    expect(cursor).toBe("6-1");
    const state = act(app, 6, journal.frames.length).open.get("a");
    expect(state && screen(state)).toEqual(["you: hello", "text: 012345678"]);
  });

  it("the list follows the session in view, newest activity first", () => {
    let app = createAppState("a");
    const items = [
      { ...session("b"), last_message_at: 50 },
      { ...session("a"), last_message_at: 10 },
    ];
    app = reduceApp(app, { type: "list_loaded", query: "", items, nextCursor: null, append: false });
    const changed = { ...session("a", 5), last_message_at: 90, active_run_id: "r" };
    const frame = { id: "1-1", event: "session_changed", data: { session: changed, reason: "patched" } };
    app = reduceApp(app, { type: "session_action", id: "a", actions: [{ type: "frame", frame }] });
    expect(app.list.items.map((s) => [s.id, s.active_run_id])).toEqual([
      ["a", "r"],
      ["b", null],
    ]);
  });

  it("an answer to an older search is not shown", () => {
    const app = reduceApp(createAppState(null), { type: "list_query", query: "new" });
    const late = {
      type: "list_loaded",
      query: "old",
      items: [session("x")],
      nextCursor: null,
      append: false,
    } as const;
    expect(reduceApp(app, late)).toBe(app);
  });

  it("a frame for a state that is shown does not touch the one beside it", () => {
    const journal = createJournal();
    const one = feed(loaded(), [journal.queued("r", "hello")]);
    expect(screen(loaded())).toEqual([]);
    expect(screen(one)).toEqual(["you: hello"]);
  });
});

import { describe, expect, it } from "@jest/globals";
import { headAsksFor, holdOf, isDown, isReadDue, pollMs } from "../../api/web/model/outside.ts";
import { reduceSession } from "../../api/web/model/reduce-session.ts";
import type { SessionAction, SessionState } from "../../api/web/model/session-state.ts";
import type { Message } from "../../common/contracts/message.ts";
import type { SessionHead } from "../../common/contracts/session.ts";
import { createJournal, feed, loaded, message, read, screen, session } from "./story.ts";

const SEEN = { hidden: false, inView: true };
const foreign = (id: string, role: Message["role"], content: string): Message => ({
  ...message("x", role, content),
  id,
  run_id: null,
  origin: "cli",
});
const act = (state: SessionState, ...actions: SessionAction[]): SessionState =>
  actions.reduce(reduceSession, state);
const head = (more: Partial<SessionHead>): SessionHead => ({
  message_count: 0,
  last_message_at: null,
  revision: 1,
  active_run_id: null,
  last_event_id: null,
  store: "ok",
  stale: false,
  ...more,
});
const two = [foreign("1", "user", "hello"), foreign("2", "assistant", "hi")];
const four = [...two, foreign("3", "user", "more"), foreign("4", "assistant", "yes")];
const page = (data: readonly Message[], revision: number, read = 1): SessionAction => ({
  type: "messages",
  page: { data, next_cursor: null, revision, store: "ok" },
  read,
});

describe("changes from outside", () => {
  it("B1 event: an external append of a session in view asks for its newest page", () => {
    const state = feed(loaded(two), [createJournal().changed("external", 2, { message_count: 4 })]);
    expect(isReadDue(state, SEEN)).toBe(true);
    expect(state.session?.message_count).toBe(4);
    expect(screen(state)).toEqual(screen(loaded(two)));
    const after = read(state, four, 2);
    expect(isReadDue(after, SEEN)).toBe(false);
    expect(screen(after)).toEqual(["you: hello", "text: hi", "you: more", "text: yes"]);
  });

  it("B1 event: a title, a pin or a creation asks for nothing", () => {
    const journal = createJournal();
    const state = feed(loaded(two), [journal.changed("patched", 2), journal.changed("created", 3)]);
    expect(isReadDue(state, SEEN)).toBe(false);
    expect(state.revision).toBe(3);
  });

  it("B2 skip: hidden, out of view, edited in place or gone, nothing is read; afterwards it is", () => {
    const state = feed(loaded(two), [createJournal().changed("external", 2)]);
    expect(holdOf(state, { ...SEEN, hidden: true })).toBe("hidden");
    expect(holdOf(state, { ...SEEN, inView: false })).toBe("not_in_view");
    const editing = act(state, { type: "editing", messageId: "1" });
    expect(holdOf(editing, SEEN)).toBe("editing");
    expect(isReadDue(editing, SEEN)).toBe(false);
    expect(isReadDue(act(editing, { type: "editing", messageId: null }), SEEN)).toBe(true);
    expect(isReadDue(act(state, { type: "missing" }), SEEN)).toBe(false);
  });

  it("B2 skip: an own run defers it until its end is applied", () => {
    const journal = createJournal();
    const run = [journal.queued("r", "mine"), journal.started("r"), journal.token("r", "wor")];
    const during = feed(loaded(two), [...run, journal.changed("external", 2, { message_count: 3 })]);
    expect(holdOf(during, SEEN)).toBe("run");
    expect(isReadDue(during, SEEN)).toBe(false);
    const ended = feed(during, [journal.token("r", "d"), journal.done("r", "word", 3), journal.end("r")]);
    expect(ended.runs.size).toBe(0);
    expect(isReadDue(ended, SEEN)).toBe(true);
  });

  it("B2 skip: a message on its way counts as an own run", () => {
    const sent = act(loaded(two), { type: "start_sent", key: "k", text: "mine" });
    const state = feed(sent, [createJournal().changed("external", 2)]);
    expect(holdOf(state, SEEN)).toBe("run");
  });

  it("B3 reload: only when revision and count or last time differ", () => {
    const state = loaded(two);
    expect(headAsksFor(state, head({ revision: 1, message_count: 9 }))).toBe("nothing");
    expect(headAsksFor(state, head({ revision: 2 }))).toBe("session");
    expect(headAsksFor(state, head({ revision: 2, message_count: 3 }))).toBe("messages");
    expect(headAsksFor(state, head({ revision: 2, last_message_at: 7 }))).toBe("messages");
    expect(headAsksFor(state, head({ revision: 2, message_count: 3, stale: true }))).toBe("nothing");
    expect(headAsksFor(state, head({ revision: 2, message_count: 3, active_run_id: "r" }))).toBe("nothing");
  });

  it("B4 cut: what the newest page does not hold at its end vanishes, older pages stay", () => {
    const older = Array.from({ length: 5 }, (_, i) => foreign(`o${i}`, "user", `old ${i}`));
    let state = loaded(four);
    state = act(
      { ...state, older: "c" },
      { type: "older_messages", page: { data: older, next_cursor: "d" } },
    );
    state = feed(state, [createJournal().changed("cut", 2)]);
    state = act(state, {
      type: "messages",
      page: { data: [...older.slice(3), ...two], next_cursor: "c", revision: 2, store: "ok" },
      read: state.reads.wanted,
    });
    expect(state.messages.map((m) => m.id)).toEqual(["o0", "o1", "o2", "o3", "o4", "1", "2"]);
    expect(state.older).toBe("d");
  });

  it("B4 cut: after clear nothing is left", () => {
    const state = read(feed(loaded(four), [createJournal().changed("cut", 2)]), [], 2);
    expect(state.messages).toEqual([]);
    expect(state.older).toBeNull();
  });

  it("B4 cut: a page that reaches further back than what is known brings its own cursor", () => {
    const state = feed(loaded(four.slice(2)), [createJournal().changed("cut", 2)]);
    const after = act(state, {
      type: "messages",
      page: { data: four.slice(0, 3), next_cursor: "before 1", revision: 2, store: "ok" },
      read: 1,
    });
    expect(after.messages.map((m) => m.id)).toEqual(["1", "2", "3"]);
    expect(after.older).toBe("before 1");
  });

  it("B4 cut: is read although the run that replaces what went has begun, and keeps that run's message", () => {
    const journal = createJournal();
    const frames = [journal.changed("cut", 2), journal.queued("r", "again")];
    const state = feed(loaded(two), frames);
    expect(isReadDue(state, SEEN)).toBe(true);
    expect(screen(read(state, [], 2))).toEqual(["you: again"]);
  });

  it("B5 reader scrolled up: what comes is counted, not the reader's own turns, and reading to the end resets it", () => {
    const away = act(loaded(two), { type: "reader", away: true });
    const state = read(feed(away, [createJournal().changed("external", 2)]), four, 2);
    expect(state.news).toBe(2);
    const again = read(state, [...four, foreign("5", "tool", "{}"), foreign("6", "assistant", "!")], 3);
    expect(again.news).toBe(3);
    expect(act(again, { type: "reader", away: false }).news).toBe(0);
    expect(read(feed(loaded(two), [createJournal().changed("external", 2)]), four, 2).news).toBe(0);
  });

  it("B6 no flicker: unchanged messages are the same objects, a changed one is replaced in its place", () => {
    const before = loaded(two);
    const changed = { ...four[1], content: "hi there" } as Message;
    const after = read(before, [{ ...(four[0] as Message) }, changed, ...four.slice(2)], 2);
    expect(after.messages[0]).toBe(before.messages[0]);
    expect(after.messages[1]).toBe(changed);
    expect(after.messages).toHaveLength(4);
  });

  it("B7 collapse: signals make one wish with the highest revision; an answer below it leaves the wish", () => {
    const journal = createJournal();
    const state = feed(loaded(two), [
      journal.changed("external", 2),
      journal.changed("external", 4),
      journal.changed("external", 3),
    ]);
    expect(state.outside).toEqual({ revision: 4, cut: false });
    const early = read(state, four.slice(0, 3), 3);
    expect(early.messages).toHaveLength(3);
    expect(isReadDue(early, SEEN)).toBe(true);
    expect(isReadDue(read(early, four, 4), SEEN)).toBe(false);
  });

  it("B8 older answer: a page of a revision below the shown one changes nothing", () => {
    const shown = read(loaded(four), two, 5);
    expect(act(shown, page(four, 4))).toBe(shown);
  });

  it("B9 own run ended: its end is the baseline, and no read follows", () => {
    const journal = createJournal();
    const frames = [journal.queued("r", "mine"), journal.started("r"), journal.done("r", "word", 7)];
    const state = feed(loaded(two), [...frames, journal.end("r")]);
    expect(state.revision).toBe(7);
    expect(isReadDue(state, SEEN)).toBe(false);
    expect(isReadDue(feed(state, [journal.changed("external", 7)]), SEEN)).toBe(false);
    expect(headAsksFor(state, head({ revision: 7, message_count: 4 }))).toBe("nothing");
    expect(isReadDue(feed(state, [journal.changed("external", 8)]), SEEN)).toBe(true);
  });

  it("B10 errors: 5 s, then 10 to 60 s, spread by a quarter to each side; the transcript stays", () => {
    expect([0, 1, 2, 3, 4, 9].map((n) => pollMs(n, 0.5))).toEqual([
      5_000, 10_000, 20_000, 40_000, 60_000, 60_000,
    ]);
    expect(pollMs(1, 0)).toBe(7_500);
    expect(isDown({ kind: "reconnecting", attempt: 1 })).toBe(true);
    expect(isDown({ kind: "open" })).toBe(false);
    const state = act(loaded(two), { type: "messages_failed", botName: null });
    expect(screen(state)).toEqual(screen(loaded(two)));
  });

  it("B11 foreign sessions follow the same rules", () => {
    const state = act(loaded(two), { type: "session", session: { ...session("s", 1), source: "cli" } });
    expect(isReadDue(feed(state, [createJournal().changed("external", 2)]), SEEN)).toBe(true);
  });

  it("retry and edit: the replaced turn goes in the step in which the new one stands", () => {
    const run = { id: "r" } as never;
    const state = act(loaded(four), { type: "replaced", messageId: "3", key: "k", text: "better", run });
    expect(screen(state)).toEqual(["you: hello", "text: hi", "pending: better"]);
    const queued = feed(state, [createJournal().queued("r", "better")]);
    expect(screen(queued)).toEqual(["you: hello", "text: hi", "you: better"]);
    const late = feed(loaded(four), [createJournal().queued("r", "better")]);
    const both = act(late, { type: "replaced", messageId: "3", key: "k", text: "better", run });
    expect(screen(both)).toEqual(["you: hello", "text: hi", "you: better"]);
  });
});

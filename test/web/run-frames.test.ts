import { describe, expect, it } from "@jest/globals";
import { reduceSession } from "../../api/web/model/reduce-session.ts";
import { createSessionState } from "../../api/web/model/session-state.ts";
import { statusLineOf } from "../../api/web/model/status-line.ts";
import { createJournal, feed, loaded, message, screen, session } from "./story.ts";

describe("frames of a session", () => {
  it("unknown-event-skipped (R-3): an event of a newer server moves the cursor and nothing else", () => {
    const journal = createJournal();
    journal.queued("r", "hello");
    journal.started("r");
    journal.token("r", "one ");
    journal.add("r", "hologram", { depth: 3 });
    journal.token("r", "two");
    const state = feed(loaded(), journal.frames);
    expect(screen(state)).toEqual(["you: hello", "text: one two"]);
    expect(state.cursor).toBe("5-1");
    const foreign = feed(state, [{ id: "6-1", event: "weather", data: { sky: "blue" } }]);
    expect(foreign.cursor).toBe("6-1");
    expect(screen(foreign)).toEqual(screen(state));
  });

  it("applies each run_seq once, whatever is sent again", () => {
    const journal = createJournal();
    journal.queued("r", "hello");
    journal.started("r");
    for (const text of ["a", "b", "c"]) journal.token("r", text);
    const once = feed(loaded(), journal.frames);
    const twice = feed(feed(loaded(), journal.frames.slice(0, 4)), journal.frames);
    expect(screen(twice)).toEqual(screen(once));
    expect(twice.cursor).toBe(once.cursor);
  });

  it("stops at a hole: neither text nor cursor move until the missing events came", () => {
    const journal = createJournal();
    journal.queued("r", "hello");
    journal.started("r");
    for (const text of ["a", "b", "c", "d"]) journal.token("r", text);
    const before = feed(loaded(), journal.frames.slice(0, 3));
    const holed = feed(before, journal.frames.slice(4));
    expect(holed.gaps).toBe(2);
    expect(holed.cursor).toBe(before.cursor);
    expect(screen(holed)).toEqual(["you: hello", "text: a"]);
    const healed = feed(holed, journal.frames.slice(3));
    expect(healed.gaps).toBe(0);
    expect(screen(healed)).toEqual(["you: hello", "text: abcd"]);
  });

  it("late-terminal-ignored (R-41): a late end of an older run leaves the running one alone", () => {
    const journal = createJournal();
    journal.queued("a", "first");
    journal.started("a");
    journal.token("a", "old");
    const done = journal.done("a", "old");
    journal.queued("b", "second");
    journal.started("b");
    journal.token("b", "new");
    const state = feed(loaded(), journal.frames);
    const late = { ...done, id: "8-1", event: "apperror" };
    const after = feed(state, [late]);
    expect(screen(after)).toEqual(screen(state));
    expect(after.runs.get("b")).toBe(state.runs.get("b"));
    expect(after.settled.get("a")?.outcome).toBe("done");
  });

  it("next-turn-not-suppressed (R-21): numbers of one run never hide events of the next", () => {
    const journal = createJournal();
    journal.queued("a", "first");
    journal.started("a");
    for (let i = 0; i < 40; i++) journal.token("a", "x");
    journal.done("a", "x".repeat(40));
    journal.end("a");
    journal.queued("b", "second");
    journal.started("b");
    for (let i = 0; i < 12; i++) journal.token("b", "y");
    expect(screen(feed(loaded(), journal.frames)).at(-1)).toBe(`text: ${"y".repeat(12)}`);
  });

  it("cross-session-isolation (R-49): a frame changes only the state it was sent to", () => {
    const a = createJournal("a");
    const b = createJournal("b");
    for (const [journal, run] of [
      [a, "ra"],
      [b, "rb"],
    ] as const) {
      journal.queued(run, `ask ${run}`);
      journal.started(run);
      for (let i = 0; i < 20; i++) journal.token(run, `${run} `);
    }
    let [inA, inB] = [createSessionState("a"), createSessionState("b")];
    for (let i = 0; i < 22; i += 2) {
      inA = feed(inA, a.frames.slice(i, i + 2));
      inB = feed(inB, b.frames.slice(i, i + 2));
    }
    expect(screen(inA).join()).not.toContain("rb");
    expect(screen(inB).join()).not.toContain("ra");
    expect(screen(inA)).toEqual(["you: ask ra", `text: ${"ra ".repeat(20)}`]);
  });

  it("step_reset drops what the crashed attempt had shown of the open step, and says so", () => {
    const journal = createJournal();
    journal.queued("r", "hello");
    journal.started("r");
    journal.token("r", "kept ");
    journal.add("r", "step_complete", { step: 1, finish_reason: "tool_calls" });
    journal.token("r", "lost", 2);
    journal.add("r", "run_started", { model: "demo", profile: "default", attempt: 2 });
    journal.add("r", "step_reset", { step: 2, keep_run_seq: 4, attempt: 2 });
    journal.token("r", "again", 2);
    const state = feed(loaded(), journal.frames);
    expect(screen(state)).toEqual(["you: hello", "text: kept ", "text: again"]);
    expect(statusLineOf(state, { kind: "open" }).text).toContain("Recovered after a crash");
  });

  it("reset-before-replay (R-22): the live view is dropped and built again, no text stands twice", () => {
    const journal = createJournal();
    journal.queued("r", "hello");
    journal.started("r");
    for (let i = 0; i < 8; i++) journal.token("r", `${i} `);
    const state = feed(loaded(), journal.frames);
    const reset = feed(state, [{ id: null, event: "reset", data: { run_id: null, reason: "lost_tail" } }]);
    expect(reset.cursor).toBeNull();
    const rebuilt = feed(reset, journal.frames.slice(0, 7));
    expect(screen(rebuilt)).toEqual(["you: hello", "text: 0 1 2 3 4 "]);
  });

  it("a snapshot replaces live views by what the server holds, and follows from there", () => {
    const journal = createJournal();
    journal.queued("r", "hello");
    journal.started("r");
    for (let i = 0; i < 6; i++) journal.token("r", `${i} `);
    const snapshot = {
      id: null,
      event: "snapshot",
      data: {
        session: session("s", 2),
        runs: [{ id: "r", session_id: "s", status: "running" }],
        events: journal.frames.slice(0, 5).map(({ event, data }) => ({ event, ...data })),
        last_event_id: "5-1",
      },
    };
    const fresh = feed(createSessionState("s"), [snapshot]);
    expect(fresh.cursor).toBe("5-1");
    expect(screen(fresh)).toEqual(["you: hello", "text: 0 1 2 "]);
    expect(screen(feed(fresh, journal.frames.slice(5)))).toEqual(["you: hello", "text: 0 1 2 3 4 5 "]);
  });

  it("turn-inside-gap (R-32): a snapshot that is ahead of the transcript asks for a read", () => {
    const state = loaded([message("a", "user", "hi")], 3);
    const data = { session: session("s", 7), runs: [], events: [], last_event_id: "90-1" };
    const after = feed(state, [{ id: null, event: "snapshot", data }]);
    expect(after.reads.wanted).toBeGreaterThan(after.reads.done);
    const same = feed(state, [{ id: null, event: "snapshot", data: { ...data, session: session("s", 3) } }]);
    expect(same.reads).toEqual(state.reads);
  });

  it("a run that began and ended around a snapshot neither counts as a hole nor is lost", () => {
    const journal = createJournal();
    journal.queued("r", "hello");
    journal.started("r");
    journal.token("r", "text");
    const done = journal.done("r", "text");
    const end = journal.end("r");
    const state = feed(loaded([message("r", "user", "hello")]), [done, end]);
    expect(state.gaps).toBe(0);
    expect(screen(state)).toEqual(["you: hello", "text: text"]);
    expect(state.cursor).toBe(end.id);
  });

  it("busy-queue (C-2): a waiting message stands at the end, the answer before it joins its own turn", () => {
    const journal = createJournal();
    journal.queued("a", "first");
    journal.started("a");
    journal.queued("b", "second", 1);
    journal.token("a", "answer");
    const busy = feed(loaded(), journal.frames);
    expect(screen(busy)).toEqual(["you: first", "text: answer", "you: second"]);
    expect(statusLineOf(busy, { kind: "open" }).text).toContain("1 more queued");
    const after = feed(busy, [
      journal.add("a", "done", {
        session: session("s", 2),
        messages: [message("a", "assistant", "answer")],
        usage: {},
      }),
    ]);
    expect(screen(after)).toEqual(["you: first", "text: answer", "you: second"]);
  });

  it("a pending message goes when the run's own message arrives, in either order with the answer", () => {
    const start = reduceSession(loaded(), { type: "start_sent", key: "k", text: "hello" });
    const run = { id: "r" } as Parameters<typeof reduceSession>[1] extends infer A
      ? A extends { type: "start_accepted"; run: infer R }
        ? R
        : never
      : never;
    const journal = createJournal();
    const queued = journal.queued("r", "hello");
    expect(screen(start)).toEqual(["pending: hello"]);
    const answerFirst = feed(reduceSession(start, { type: "start_accepted", key: "k", run }), [queued]);
    const eventFirst = feed(start, [queued]);
    expect(screen(eventFirst)).toEqual(["you: hello"]);
    const both = reduceSession(eventFirst, { type: "start_accepted", key: "k", run });
    for (const state of [answerFirst, both]) {
      expect(screen(state)).toEqual(["you: hello"]);
      expect(state.pending).toEqual([]);
    }
  });
});

import { describe, expect, it } from "@jest/globals";
import { reduceSession } from "../../api/web/model/reduce-session.ts";
import { statusLineOf } from "../../api/web/model/status-line.ts";
import { cancelNotice } from "../../common/contracts/notices.ts";
import { createJournal, feed, loaded, message, read, screen, session } from "./story.ts";

const streaming = () => {
  const journal = createJournal();
  journal.queued("r", "hello");
  journal.started("r");
  journal.token("r", "the ");
  journal.token("r", "answer");
  return journal;
};

describe("the end of a run", () => {
  it("done-twice (R-42): the same end received again changes nothing", () => {
    const journal = streaming();
    journal.done("r", "the answer");
    journal.end("r");
    const once = feed(loaded(), journal.frames);
    const twice = feed(once, journal.frames);
    expect(twice.messages).toEqual(once.messages);
    expect(twice.settled.size).toBe(1);
    expect(twice.runs.size).toBe(0);
    expect(twice.reads).toEqual(once.reads);
    expect(screen(twice)).toEqual(["you: hello", "text: the answer"]);
  });

  it("settle-paint (R-43): after every single frame the answer is there exactly once", () => {
    const journal = streaming();
    journal.done("r", "the answer");
    journal.end("r");
    let state = loaded();
    for (const [i, frame] of journal.frames.entries()) {
      state = feed(state, [frame]);
      const texts = screen(state).filter((line) => line.startsWith("text: "));
      expect(texts).toEqual(i < 2 ? [] : [i === 2 ? "text: the " : "text: the answer"]);
    }
  });

  it("settle-paint (R-43): also when the end carries no messages and they are read afterwards", () => {
    const journal = streaming();
    journal.add("r", "done", { session: session("s", 2), usage: {} });
    journal.end("r");
    const ended = feed(loaded(), journal.frames);
    expect(screen(ended)).toEqual(["you: hello", "text: the answer"]);
    expect(ended.reads.wanted).toBe(ended.reads.done + 1);
    const settled = read(ended, [message("r", "user", "hello"), message("r", "assistant", "the answer")], 2);
    expect(screen(settled)).toEqual(["you: hello", "text: the answer"]);
    expect(settled.runs.size).toBe(0);
  });

  it("a read that was sent before the run ended does not settle it", () => {
    const journal = streaming();
    const before = feed(loaded(), journal.frames);
    const sentAt = before.reads.wanted;
    const ended = feed(before, [journal.add("r", "done", { session: session("s", 2), usage: {} })]);
    const stale = reduceSession(ended, {
      type: "messages",
      page: { data: [message("r", "user", "hello")], next_cursor: null, revision: 1 },
      read: sentAt,
    });
    expect(screen(stale)).toEqual(["you: hello", "text: the answer"]);
    expect(stale.reads.wanted).toBeGreaterThan(stale.reads.done);
  });

  it("the end without its reason: stream_end alone asks the transcript", () => {
    const journal = streaming();
    journal.end("r");
    const state = feed(loaded(), journal.frames);
    expect(screen(state)).toEqual(["you: hello", "text: the answer"]);
    expect(state.reads.wanted).toBe(state.reads.done + 1);
  });

  it("cancel-offline-refresh (C-19): the partial stays, one local notice names the assistant until the read succeeds", () => {
    const journal = streaming();
    journal.add("r", "cancel", {
      session: session("s", 2),
      message: "stopped",
      type: "cancelled",
      status: "cancelled",
    });
    let state = feed(loaded(), journal.frames);
    for (let i = 0; i < 3; i++) state = reduceSession(state, { type: "messages_failed", botName: " Obryn " });
    const notice = cancelNotice("Obryn", { beforeStart: false });
    expect(notice).toContain("before Obryn finished");
    expect(screen(state)).toEqual(["you: hello", "text: the answer", `notice: ${notice}`]);
    const stored = [
      message("r", "user", "hello"),
      message("r", "assistant", "the answer", { status: "cancelled" }),
      message("r", "notice", "stored notice", { status: "cancelled" }),
    ];
    expect(screen(read(state, stored, 2))).toEqual([
      "you: hello",
      "text: the answer",
      "notice: stored notice",
    ]);
  });

  it("no-tool-left-running (R-7): a tool without an end is shown as stopped, live and after a reload", () => {
    const journal = streaming();
    const call = { step: 1, tid: "t1", name: "terminal", args: { command: "sleep 600" } };
    journal.add("r", "tool", { event_type: "tool.started", preview: null, ...call });
    const running = feed(loaded(), journal.frames);
    expect(screen(running)).toContain("tool terminal: running");
    expect(statusLineOf(running, { kind: "open" }).text).toBe("Running terminal…");
    journal.add("r", "cancel", {
      session: session("s", 2),
      message: "",
      type: "cancelled",
      status: "cancelled",
    });
    const live = feed(loaded(), journal.frames);
    expect(screen(live)).toContain("tool terminal: stopped");
    const stored = message("r", "assistant", "the answer", {
      status: "cancelled",
      tool_calls: [{ id: "t1", type: "function", function: { name: "terminal", arguments: "{}" } }],
    });
    expect(screen(loaded([message("r", "user", "hello"), stored]))).toContain("tool terminal: stopped");
  });

  it("stop-request-fails (C-20): the turn goes on and the button is free again", () => {
    const journal = streaming();
    const asked = reduceSession(feed(loaded(), journal.frames), { type: "stop_sent", runId: "r" });
    expect(statusLineOf(asked, { kind: "open" }).text).toBe("Stopping…");
    const failed = reduceSession(asked, { type: "stop_failed", runId: "r" });
    expect(failed.runs.get("r")?.stopping).toBe(false);
    expect(screen(feed(failed, [journal.token("r", "!")])).at(-1)).toBe("text: the answer!");
  });

  it("an error keeps its code and hint beside the committed messages", () => {
    const journal = streaming();
    journal.add("r", "apperror", {
      session: session("s", 2),
      messages: [message("r", "assistant", "the answer", { status: "failed" })],
      session_id: "s",
      type: "rate_limit",
      message: "Too many requests.",
      hint: "Wait a minute.",
    });
    const state = feed(loaded(), journal.frames);
    expect(state.settled.get("r")?.error).toMatchObject({ type: "rate_limit", hint: "Wait a minute." });
    expect(screen(state)).toEqual(["you: hello", "text: the answer"]);
  });
});

import { describe, expect, test } from "@jest/globals";
import { bordersOf, compressionLine, toldVersion } from "../../api/web/model/compression.ts";
import { takeJob } from "../../api/web/model/jobs.ts";
import { createSessionState } from "../../api/web/model/session-state.ts";
import type { ContextInfo } from "../../common/contracts/context.ts";
import type { Job } from "../../common/contracts/job.ts";
import { applyRunEvent, createRunView, type RunFrame } from "../../common/contracts/run-view.ts";
import { job } from "./story.ts";

const viewOf = (...events: readonly (readonly [string, Record<string, unknown>?])[]) => {
  const view = createRunView("r");
  events.forEach(([event, payload], index) => {
    const frame = { event, run_id: "r", run_seq: index + 1, attempt: 1, ...payload };
    expect(applyRunEvent(view, frame as RunFrame)).toBe("applied");
  });
  return view;
};
const compressed = { version: 3, usage: { tokens_before: 9, tokens_after: 4 } };

describe("B-28 what a turn shows of a compression", () => {
  test("the running state, then the result", () => {
    expect(viewOf(["run_started"], ["compressing"]).compressing).toBe(true);
    const view = viewOf(["run_started"], ["compressing"], ["compressed", compressed]);
    expect(view.compressing).toBe(false);
    expect(view.compressed.map(({ version }) => version)).toEqual([3]);
  });
  test.each([
    ["lost-compressed-event: the turn ends", ["done", {}]],
    ["the turn is stopped", ["cancel", {}]],
    ["the stream ends", ["stream_end", {}]],
    ["text comes", ["token", { text: "a", step: 1 }]],
    ["a warning says that it failed", ["warning", { type: "compression_failed", message: "no" }]],
    ["another attempt begins", ["run_started", {}]],
  ] as const)("it ends when %s", (_name, event) => {
    expect(viewOf(["run_started"], ["compressing"], event).compressing).toBe(false);
  });
});

describe("what a person reads of a job", () => {
  test("progress, and why it was not done; nothing once it is, or was cancelled by a person", () => {
    const text = (change: Partial<Job>) => compressionLine(job("compression", change))?.text ?? null;
    expect(text({ progress: { stage: "summarising", done: 1, of: 4 } })).toBe(
      "Compressing the context: part 2 of 4…",
    );
    expect(text({ state: "failed", reason: "timeout" })).toBe(
      "The context was not compressed: it took too long.",
    );
    expect(text({ state: "cancelled", reason: "context_changed" })).toMatch(/was not applied/);
    expect(text({ state: "cancelled", reason: "by_person" })).toBeNull();
    expect(text({ state: "done" })).toBeNull();
    expect(compressionLine(null)).toBeNull();
  });
  test("an answer that comes late does not begin an ended job again; a new one does", () => {
    const ended = job("compression", { state: "done", ended_at: 2 });
    expect(takeJob({ compression: ended }, job("compression")).compression).toBe(ended);
    const anew = job("compression", { created_at: 3, state: "queued" });
    expect(takeJob({ compression: ended }, anew).compression).toBe(anew);
  });
  test("the list of versions is read again when an event tells of a newer one", () => {
    const state = createSessionState("s");
    expect(toldVersion(state)).toBe(0);
    expect(
      toldVersion({
        ...state,
        jobs: { compression: job("compression", { state: "done", result: { version: 2 } }) },
      }),
    ).toBe(2);
    expect(toldVersion({ ...state, settledVersion: 4 })).toBe(4);
  });
  test("a border shows the newest version that has it", () => {
    const info = (version: number, border: string | null) =>
      ({ version, border_message_id: border }) as ContextInfo;
    const borders = bordersOf([info(3, "b"), info(2, "b"), info(1, "a"), info(0, null)]);
    expect([...borders].map(([id, { version }]) => [id, version])).toEqual([
      ["a", 1],
      ["b", 3],
    ]);
  });
});

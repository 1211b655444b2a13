import { expect, it } from "@jest/globals";
import { recapAsked, recapLine, recapName, withJob, withRecaps } from "../../api/web/model/recaps.ts";
import { createSessionState } from "../../api/web/model/session-state.ts";
import type { Job } from "../../common/contracts/job.ts";
import type { Recap } from "../../common/contracts/recap.ts";
import { job } from "./story.ts";

const recap = (more: Partial<Recap> = {}): Recap => ({
  ...{ session_id: "s", kind: "recap", after: "m1", bullets: ["one"], generated_by: "model", created_at: 1 },
  ...more,
});
/** One that waits for its worker. */
const recapJob = (more: Partial<Job> = {}): Job =>
  job("recap", { state: "queued", attempt: 0, started_at: null, ...more });
const DONE = recapJob({ state: "done", attempt: 1, ended_at: 2, result: { recap: recap() } });
const state = createSessionState("s");

it("a done job brings its card, and brings it into view where it was asked for", () => {
  expect(withJob(state, DONE)).toMatchObject({ recaps: [recap()], reveal: null });
  expect(withJob(recapAsked(state, recapJob()), DONE)).toMatchObject({
    reveal: recapName(recap()),
    awaitedRecap: null,
  });
});

it("an answer that the event of the job's end overtook changes nothing; one made anew begins again", () => {
  const ended = withJob(state, DONE);
  expect(withJob(ended, recapJob()).jobs.recap).toBe(DONE);
  expect(recapAsked(ended, DONE).reveal).toBe(recapName(recap()));
  const anew = recapJob({ created_at: 3 });
  expect(withJob(ended, anew).jobs.recap).toBe(anew);
});

it("a card replaces the one of its kind behind the same message, and no other", () => {
  const first = withRecaps(state, [recap(), recap({ kind: "handoff" }), recap({ after: "m2" })]);
  const next = withRecaps(first, [recap({ bullets: ["two"] })]);
  expect(next.recaps.map((one) => [recapName(one), one.bullets[0]])).toEqual([
    ["handoff:m1", "one"],
    ["recap:m2", "one"],
    ["recap:m1", "two"],
  ]);
});

it("what is said of a job on its way, a failed and a refused one; nothing of one that is done or given up", () => {
  const tones = (["queued", "running", "failed", "skipped", "done", "cancelled"] as const).map(
    (at) => recapLine(recapJob({ state: at }))?.tone ?? null,
  );
  expect(tones).toEqual(["busy", "busy", "failed", "info", null, null]);
});

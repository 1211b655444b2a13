import { describe, expect, it } from "@jest/globals";
import { backlogBanner } from "../../api/web/model/backlog.ts";
import { statusLineOf } from "../../api/web/model/status-line.ts";
import type { Backlog } from "../../common/contracts/backlog.ts";
import { createJournal, feed, job, loaded, session } from "./story.ts";

const work = (more: Partial<Backlog> = {}): Backlog => ({
  ...{
    queue: "runs",
    profile: "default",
    jobs: 1,
    waited_s: 12,
    reason: "no_worker",
    alarm: true,
    message: "",
  },
  ...more,
});

describe("work that waits", () => {
  it("what nobody serves is said above the list, with profile and number; what only waits is not", () => {
    expect(backlogBanner([work()])).toEqual(["A message waits: no worker is running for it."]);
    expect(backlogBanner([work({ queue: "runs@lab", profile: "lab", jobs: 3, reason: "stuck" })])).toEqual([
      "3 messages wait in the profile “lab”: the workers do not take it.",
    ]);
    expect(backlogBanner([work({ alarm: false }), work({ reason: "limit", alarm: false })])).toEqual([]);
  });

  it("the line of a waiting message says why, for its own profile only", () => {
    const journal = createJournal();
    journal.queued("r", "hello");
    const state = { ...feed(loaded(), journal.frames), session: session("s") };
    const line = (...backlog: readonly Backlog[]) =>
      statusLineOf(state, { kind: "open" }, false, backlog).text;
    expect(line()).toBe("Waiting for a worker…");
    expect(line(work())).toBe("Waiting: no worker is running…");
    expect(line(work({ reason: "busy" }))).toBe("Waiting: all workers are busy…");
    expect(line(work({ reason: "limit" }))).toBe("Waiting for the limits of the profile…");
    expect(line(work({ queue: "runs@lab", profile: "lab" }), work({ queue: "titles" }))).toBe(
      "Waiting for a worker…",
    );
  });
});

describe("background work on a session", () => {
  it("B-12: a title that was made is in the view at once, and moves its cursor; nothing is read for it", () => {
    const before = loaded();
    const named = { ...session("s", 7), title: "Trip to Lisbon", title_source: "generated" as const };
    const data = { session_id: "s", title: "Trip to Lisbon", session: named };
    const after = feed(before, [{ id: "9-1", event: "title", data }]);
    expect(after.session).toEqual(named);
    expect(after.cursor).toBe("9-1");
    expect(after.reads).toEqual(before.reads);
  });

  it("B-1: the last state of a job is kept for the header", () => {
    const frames = [job("title"), job("title", { state: "done", ended_at: 2 })].map((one, n) => ({
      ...{ id: `${n + 5}-1`, event: "job", data: { job: one } },
    }));
    const states = frames.map((_frame, n) => feed(loaded(), frames.slice(0, n + 1)).jobs.title?.state);
    expect(states).toEqual(["running", "done"]);
  });
});

import { describe, expect, it } from "@jest/globals";
import { runningProcesses } from "../../api/web/model/processes.ts";
import { reduceSession } from "../../api/web/model/reduce-session.ts";
import { timelineOf } from "../../api/web/model/timeline.ts";
import type { Process } from "../../common/contracts/process.ts";
import { processHeadline, processPartsOf } from "../../common/contracts/process-part.ts";
import { createJournal, feed, loaded, message } from "./story.ts";

const process = (more: Partial<Process> = {}): Process => ({
  ...{ id: "proc_a", session_id: "s", profile: "default", run_id: "r", command: "make", state: "running" },
  ...{ reason: null, exit_code: null, signal: null, notify: true, completion: "none", wake_run_id: null },
  ...{ kill_requested: false, started_at: 1, ended_at: null },
  ...more,
});
const told = (at: number, of: Process) => ({ id: `${at}-1`, event: "process", data: { process: of } });
const part = {
  ...{ type: "process" as const, process_id: "proc_a", command: "make", outcome: "exit code 0" },
  ...{ failed: false, output: "done" },
};

describe("background processes of a session", () => {
  it("one that runs is listed until it has ended; an end is not taken back by a list that was read before it", () => {
    const before = loaded();
    const running = feed(before, [told(1, process()), told(2, process({ id: "proc_b", started_at: 2 }))]);
    expect(runningProcesses(running.processes).map(({ id }) => id)).toEqual(["proc_a", "proc_b"]);
    const ended = feed(running, [
      told(3, process({ state: "ended", completion: "pending", reason: "exited" })),
    ]);
    expect(runningProcesses(ended.processes).map(({ id }) => id)).toEqual(["proc_b"]);
    const late = reduceSession(ended, { type: "processes", processes: [process()] });
    expect(runningProcesses(late.processes).map(({ id }) => id)).toEqual(["proc_b"]);
    expect(late.cursor).toBe("3-1");
    expect(late.reads).toEqual(before.reads);
  });

  it("an end that was only told is read with the transcript", () => {
    const before = loaded();
    const next = feed(before, [told(1, process({ state: "ended", completion: "told", reason: "killed" }))]);
    expect(next.reads.wanted).toBe(before.reads.wanted + 1);
  });

  it("B-38: the message of a turn that the system began is known as such, live and after a reload", () => {
    const journal = createJournal();
    const made = message("r", "user", "[System notice …]", { source: "process", parts: [part] });
    journal.add("r", "run_queued", { position: 0, message: made });
    const live = timelineOf(feed(loaded(), journal.frames));
    const reloaded = timelineOf(loaded([made, message("r", "assistant", "It is built.")]));
    for (const [turn] of [live, reloaded]) expect(turn?.committed.map(processPartsOf)[0]).toEqual([part]);
    expect(processHeadline(part)).toBe("Background process ended: make, exit code 0");
  });

  it("what a person wrote stands for no process, whatever its parts say", () => {
    expect(processPartsOf(message("r", "user", "hello", { parts: [part] }))).toEqual([]);
    expect(
      processPartsOf(message("r", "user", "x", { source: "process", parts: [{ type: "odd" }] })),
    ).toEqual([]);
  });
});

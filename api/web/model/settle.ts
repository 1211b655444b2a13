import type { RunEventPayload } from "../../../common/contracts/events.ts";
import type { Message } from "../../../common/contracts/message.ts";
import type { RunView } from "../../../common/contracts/run-view.ts";
import type { LiveRun, RunFacts, SessionState } from "./session-state.ts";

/** True when the transcript holds more of the run than what the person wrote: its turn was committed. */
export const isCommitted = (messages: readonly Message[], runId: string): boolean =>
  messages.some((message) => message.run_id === runId && message.role !== "user");

/** Takes a run out of the live ones; its committed messages show it from now on, in the same step. */
export const settleRun = (state: SessionState, run: LiveRun): SessionState => {
  const runs = new Map(state.runs);
  runs.delete(run.runId);
  const versions = run.view.compressed.map(({ version }) => version);
  return {
    ...state,
    runs,
    settled: new Map(state.settled).set(run.runId, factsOf(run.view)),
    settledVersion: Math.max(state.settledVersion, ...versions),
  };
};

export const replaceRun = (state: SessionState, run: LiveRun): SessionState => ({
  ...state,
  runs: new Map(state.runs).set(run.runId, run),
});

/** Asks for the transcript to be read (again). */
export const wantRead = (state: SessionState): SessionState => ({
  ...state,
  reads: { ...state.reads, wanted: state.reads.wanted + 1 },
});

/** What the view knows and the committed messages do not say. */
export const factsOf = (view: RunView): RunFacts => {
  const tools = new Map<string, RunEventPayload<"tool_complete">>();
  for (const part of view.parts)
    if (part.kind === "tool" && part.result) tools.set(part.tid, part.result.payload);
  const end = view.terminal;
  return {
    outcome: end?.event ?? "unknown",
    recovered: view.recovered,
    toolLimit: end?.event === "done" && end.payload.terminal_state === "tool_limit_reached",
    error: end?.event === "apperror" ? (end.payload as RunEventPayload<"apperror">) : null,
    warnings: view.warnings,
    tools,
  };
};

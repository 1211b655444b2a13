import type { Backlog } from "../../../common/contracts/backlog.ts";
import { waitReason } from "./backlog.ts";
import type { ConnectionStatus } from "./connection.ts";
import type { LiveRun, SessionState } from "./session-state.ts";

export interface StatusLine {
  readonly tone: "idle" | "busy" | "waiting" | "trouble";
  readonly text: string;
}

const IDLE: StatusLine = { tone: "idle", text: "" };

/** One sentence about where things stand; read aloud when it changes. */
export const statusLineOf = (
  state: SessionState | null,
  connection: ConnectionStatus,
  outdated = false,
  backlog: readonly Backlog[] = [],
): StatusLine => {
  const run = state === null ? null : activeRun(state);
  if (state?.phase === "missing") return { tone: "trouble", text: "This session is gone." };
  if (outdated && connection.kind === "reconnecting")
    return { tone: "trouble", text: "Reconnecting… What is shown is not up to date." };
  const trouble = connectionTrouble(connection, run !== null);
  if (trouble !== null) return trouble;
  if (state === null) return IDLE;
  if (state.pending.some((start) => start.retrying))
    return { tone: "trouble", text: "The server did not answer. Sending again…" };
  if (run === null) return lastOutcome(state);
  return runStatus(state, run, backlog);
};

/** The run at the head of the session's queue; null when nothing runs or waits. */
export const activeRun = (state: SessionState): LiveRun | null => {
  for (const run of state.runs.values()) if (!run.awaiting) return run;
  return null;
};

const connectionTrouble = (connection: ConnectionStatus, busy: boolean): StatusLine | null => {
  const goesOn = busy ? " The run goes on without this page." : "";
  switch (connection.kind) {
    case "offline":
      return { tone: "trouble", text: `You are offline.${goesOn}` };
    case "reconnecting":
      return { tone: "trouble", text: `Reconnecting…${goesOn}` };
    case "refused":
      return { tone: "trouble", text: "The server refused to follow this session." };
    case "signed_out":
      return { tone: "trouble", text: "Signed out." };
    case "connecting":
    case "open":
    case "paused":
      return null;
  }
};

const runStatus = (state: SessionState, run: LiveRun, backlog: readonly Backlog[]): StatusLine => {
  const others = [...state.runs.values()].filter((r) => r !== run && !r.awaiting).length;
  const queue = others === 0 ? "" : ` · ${others} more queued`;
  if (run.stopping) return { tone: "busy", text: `Stopping…${queue}` };
  if (run.view.status === "queued") {
    const ahead = run.view.position;
    if (ahead > 0 && state.session?.active_run_id && state.session.active_run_id !== run.runId)
      return { tone: "waiting", text: `Queued, ${ahead} ahead${queue}` };
    const reason = waitReason(backlog, state.session?.profile ?? "default") ?? "Waiting for a worker";
    return { tone: "waiting", text: `${reason}…${queue}` };
  }
  const last = run.view.parts.at(-1);
  const doing =
    last?.kind === "tool" && last.result === null
      ? `Running ${last.name}…`
      : last?.kind === "text"
        ? "Writing…"
        : "Thinking…";
  const recovered = run.view.recovered ? "Recovered after a crash · " : "";
  return { tone: "busy", text: `${recovered}${doing}${queue}` };
};

const lastOutcome = (state: SessionState): StatusLine => {
  const [last] = [...state.settled.values()].slice(-1);
  switch (last?.outcome) {
    case "cancel":
      return { tone: "idle", text: "Stopped." };
    case "apperror":
      return { tone: "idle", text: "The run failed." };
    case "interrupted":
      return { tone: "idle", text: "The run was interrupted." };
    case "done":
      return {
        tone: "idle",
        text: last.recovered ? "Answer complete, recovered after a crash." : "Answer complete.",
      };
    default:
      return IDLE;
  }
};

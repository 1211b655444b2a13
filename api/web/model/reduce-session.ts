import type { Message } from "../../../common/contracts/message.ts";
import { cancelNotice } from "../../../common/contracts/notices.ts";
import { mergeLatestPage, prependMessages } from "./messages.ts";
import { reduceFrame } from "./reduce-frame.ts";
import type { LiveRun, SessionAction, SessionState } from "./session-state.ts";
import { isCommitted, replaceRun, settleRun, wantRead } from "./settle.ts";

/**
 * The one way a session's state changes: live events, replayed ones, answers of the API and the person's own actions. Each
 * step returns a state in which cursor, runs and messages agree; a run's view is advanced in place (see `LiveRun`).
 */
export const reduceSession = (state: SessionState, action: SessionAction): SessionState => {
  switch (action.type) {
    case "frame":
      return reduceFrame(state, action.frame);
    case "session":
      return { ...state, session: action.session, phase: state.phase === "missing" ? "ready" : state.phase };
    case "missing":
      return { ...state, phase: "missing" };
    case "messages":
      return applyLatestPage(state, action);
    case "older_messages":
      return {
        ...state,
        messages: prependMessages(state.messages, action.page.data),
        older: action.page.next_cursor,
      };
    case "messages_failed":
      return afterFailedRead(state, action.botName);
    case "start_sent":
      return {
        ...state,
        pending: [...state.pending, { key: action.key, text: action.text, runId: null, retrying: false }],
      };
    case "start_retrying":
      return mapPending(state, action.key, { retrying: true });
    case "start_accepted":
      return state.messages.some((message) => message.run_id === action.run.id)
        ? withoutPending(state, action.key)
        : mapPending(state, action.key, { runId: action.run.id, retrying: false });
    case "start_failed":
      return withoutPending(state, action.key);
    case "stop_sent":
      return patchRun(state, action.runId, { stopping: true });
    case "stop_failed":
      return patchRun(state, action.runId, { stopping: false });
    case "forget_cursor":
      return { ...state, cursor: null };
  }
};

const applyLatestPage = (
  state: SessionState,
  { page, read }: Extract<SessionAction, { type: "messages" }>,
): SessionState => {
  const current = read === state.reads.wanted;
  const { messages, contiguous } = mergeLatestPage(
    state.messages,
    page.data,
    page.next_cursor !== null,
    new Set(state.runs.keys()),
  );
  const firstRead = state.phase !== "ready";
  let next: SessionState = {
    ...state,
    phase: "ready",
    messages,
    revision: Math.max(state.revision, page.revision),
    older: firstRead || !contiguous ? page.next_cursor : state.older,
    reads: { ...state.reads, done: Math.max(state.reads.done, read) },
    pending: arrived(state, messages),
  };
  // A read that began before the run ended may not hold its messages: only a current one settles without seeing them.
  for (const run of state.runs.values())
    if (run.awaiting && (current || isCommitted(messages, run.runId))) next = settleRun(next, run);
  // Read while the stream was being joined: the snapshot may know of a turn that ended in between.
  return firstRead && (state.session?.revision ?? 0) > page.revision ? wantRead(next) : next;
};

/** Keeps everything visible; a stop whose result cannot be read gets its notice here (C-19). */
const afterFailedRead = (state: SessionState, botName: string | null): SessionState => {
  let next: SessionState = state.phase === "loading" ? { ...state, phase: "failed" } : state;
  for (const run of state.runs.values()) {
    if (!run.awaiting || run.localNotice !== null || run.view.terminal?.event !== "cancel") continue;
    const beforeStart = run.view.attempt === 0 && run.view.parts.length === 0;
    next = replaceRun(next, { ...run, localNotice: cancelNotice(botName, { beforeStart }) });
  }
  return next;
};

const arrived = (state: SessionState, messages: readonly Message[]): SessionState["pending"] => {
  const runs = new Set(messages.map((message) => message.run_id));
  return state.pending.some((p) => runs.has(p.runId) && p.runId !== null)
    ? state.pending.filter((p) => p.runId === null || !runs.has(p.runId))
    : state.pending;
};

const mapPending = (
  state: SessionState,
  key: string,
  change: Partial<SessionState["pending"][number]>,
): SessionState => ({
  ...state,
  pending: state.pending.map((start) => (start.key === key ? { ...start, ...change } : start)),
});

const withoutPending = (state: SessionState, key: string): SessionState => ({
  ...state,
  pending: state.pending.filter((start) => start.key !== key),
});

const patchRun = (state: SessionState, runId: string, change: Partial<LiveRun>): SessionState => {
  const run = state.runs.get(runId);
  return run === undefined ? state : replaceRun(state, { ...run, ...change });
};

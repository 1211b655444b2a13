import type { Message } from "../../../common/contracts/message.ts";
import { cancelNotice } from "../../../common/contracts/notices.ts";
import { mergeLatestPage, prependMessages } from "./messages.ts";
import { headAsksFor, wantOutside } from "./outside.ts";
import { mergeProcesses } from "./processes.ts";
import { recapAsked, withJob, withRecaps } from "./recaps.ts";
import { newerSession, reduceFrame } from "./reduce-frame.ts";
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
      return {
        ...state,
        session: newerSession(state.session, action.session),
        phase: state.phase === "missing" ? "ready" : state.phase,
      };
    case "missing":
      return { ...state, phase: "missing" };
    case "messages":
      return applyLatestPage(state, action);
    case "older_messages":
      return {
        ...state,
        messages: prependMessages(state.messages, action.page.data),
        older: action.page.next_cursor,
        recaps: withRecaps(state, action.page.recaps ?? []).recaps,
      };
    case "messages_failed":
      return afterFailedRead(state, action.botName);
    case "start_sent":
      return {
        ...state,
        pending: [...state.pending, { key: action.key, text: action.text, runId: null, retrying: false }],
        // Who writes on has caught up.
        offer: false,
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
    case "outside": {
      const { session } = action;
      return wantOutside(
        { ...state, session: newerSession(state.session, session) },
        session.revision,
        action.cut,
      );
    }
    case "head": {
      const next = state.store === action.head.store ? state : { ...state, store: action.head.store };
      return headAsksFor(next, action.head) === "messages"
        ? wantOutside(next, action.head.revision, false)
        : next;
    }
    case "reader":
      if (action.away === state.away && (action.away || state.news === 0)) return state;
      return { ...state, away: action.away, news: action.away ? state.news : 0 };
    case "contexts":
      return { ...state, contexts: action.contexts, contextsTold: Math.max(state.contextsTold, action.told) };
    case "editing":
      return { ...state, editing: action.messageId };
    case "changing":
      return { ...state, changing: action.changing };
    case "replaced":
      return applyReplaced(state, action);
    case "processes":
      return { ...state, processes: mergeProcesses(state.processes, action.processes) };
    case "reveal":
      return state.reveal === action.messageId ? state : { ...state, reveal: action.messageId };
    case "job":
      return withJob(state, action.job);
    case "recap_asked":
      return recapAsked(state, action.job);
    case "recap_offer":
      return state.offer === action.offer ? state : { ...state, offer: action.offer };
  }
};

const applyLatestPage = (
  state: SessionState,
  { page, read }: Extract<SessionAction, { type: "messages" }>,
): SessionState => {
  const firstRead = state.phase !== "ready";
  const complete = page.revision >= state.revision;
  if (!firstRead && !complete) return state; // B8: what is shown is newer; the wish for a read stays
  const current = read === state.reads.wanted;
  const { messages, contiguous } = mergeLatestPage(
    state.messages,
    { data: page.data, hasOlder: page.next_cursor !== null, complete },
    new Set(state.runs.keys()),
  );
  const { outside } = state;
  let next: SessionState = {
    ...state,
    phase: "ready",
    messages,
    revision: Math.max(state.revision, page.revision),
    older: firstRead || !contiguous ? page.next_cursor : state.older,
    reads: { ...state.reads, done: Math.max(state.reads.done, read) },
    pending: arrived(state, messages),
    outside: outside !== null && page.revision < outside.revision ? outside : null,
    news: state.away && !firstRead ? state.news + countNews(state, page.data) : 0,
    store: page.store ?? state.store,
    recaps: withRecaps(state, page.recaps ?? []).recaps,
    editing: messages.some((message) => message.id === state.editing) ? state.editing : null,
  };
  // A read that began before the run ended may not hold its messages: only a current one settles without seeing them.
  for (const run of state.runs.values())
    if (run.awaiting && (current || isCommitted(messages, run.runId))) next = settleRun(next, run);
  // Read while the stream was being joined: the snapshot may know of a turn that ended in between.
  return firstRead && (state.session?.revision ?? 0) > page.revision ? wantRead(next) : next;
};

/** What a reader further up would call new: not the results of tools, not what runs followed here have said. */
const countNews = (state: SessionState, page: readonly Message[]): number => {
  const known = new Set(state.messages.map((message) => message.id));
  const followed = (runId: string | null): boolean =>
    runId !== null && (state.runs.has(runId) || state.settled.has(runId));
  return page.filter(
    (message) => message.role !== "tool" && !known.has(message.id) && !followed(message.run_id),
  ).length;
};

/** One step from the old end to the new one: what was replaced goes when the message that replaces it comes. */
const applyReplaced = (
  state: SessionState,
  { messageId, key, text, run }: Extract<SessionAction, { type: "replaced" }>,
): SessionState => {
  const at = state.messages.findIndex((message) => message.id === messageId);
  const messages =
    at === -1 ? state.messages : state.messages.filter((m, i) => i < at || m.run_id === run.id);
  const here = messages.some((message) => message.run_id === run.id);
  const start = { key, text, runId: run.id, retrying: false };
  return {
    ...state,
    messages,
    pending: here ? state.pending : [...state.pending, start],
    editing: null,
    changing: false,
  };
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

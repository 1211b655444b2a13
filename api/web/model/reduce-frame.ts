import type { RunEventPayload, SESSION_EVENT_SCHEMAS, Snapshot } from "../../../common/contracts/events.ts";
import type { Job } from "../../../common/contracts/job.ts";
import type { Message } from "../../../common/contracts/message.ts";
import {
  applyRunEvent,
  createRunView,
  type RunFrame,
  type RunView,
} from "../../../common/contracts/run-view.ts";
import type { Session } from "../../../common/contracts/session.ts";
import type { Frame } from "./frame.ts";
import { upsertMessages } from "./messages.ts";
import { wantOutside } from "./outside.ts";
import { mergeProcesses } from "./processes.ts";
import type { LiveRun, SessionState } from "./session-state.ts";
import { isCommitted, replaceRun, settleRun, wantRead } from "./settle.ts";

/** Applies one frame of the session's stream. Only a frame whose effect is in the state moves the cursor. */
export const reduceFrame = (state: SessionState, frame: Frame): SessionState => {
  switch (frame.event) {
    case "snapshot":
      return applySnapshot(state, frame.data as unknown as Snapshot);
    case "reset":
      return applyReset(state, frame.data as { run_id?: string | null });
    case "session_changed":
      return moved(applySessionChanged(state, frame.data as unknown as SessionChanged), frame);
    case "title":
      return moved(withSession(state, (frame.data as unknown as TitleFrame).session), frame);
    case "job": {
      const { job } = frame.data as unknown as JobFrame;
      return moved({ ...state, jobs: withJob(state.jobs, job) }, frame);
    }
    case "process":
      return moved(applyProcess(state, (frame.data as unknown as ProcessFrame).process), frame);
    default:
      return isRunFrame(frame.data)
        ? applyRunFrame(state, frame, { ...frame.data, event: frame.event } as RunFrame)
        : moved(state, frame); // an event of a newer server moves nothing but the cursor
  }
};

type TitleFrame = ReturnType<(typeof SESSION_EVENT_SCHEMAS)["title"]["parse"]>;
type JobFrame = ReturnType<(typeof SESSION_EVENT_SCHEMAS)["job"]["parse"]>;
type ProcessFrame = ReturnType<(typeof SESSION_EVENT_SCHEMAS)["process"]["parse"]>;
type SessionChanged = ReturnType<(typeof SESSION_EVENT_SCHEMAS)["session_changed"]["parse"]>;

/** An end that was told stands in the transcript, which is read for it. */
const applyProcess = (state: SessionState, process: ProcessFrame["process"]): SessionState => {
  const next = { ...state, processes: mergeProcesses(state.processes, [process]) };
  return process.completion === "told" ? wantRead(next) : next;
};

/** Only what the event itself tells is shown; messages of others must be read (B1). */
const applySessionChanged = (state: SessionState, { session, reason }: SessionChanged): SessionState => {
  if (reason !== "external" && reason !== "cut") return withSession(state, session);
  const next = { ...state, session: newerSession(state.session, session) };
  return wantOutside(next, session.revision, reason === "cut");
};

const applyRunFrame = (state: SessionState, frame: Frame, event: RunFrame): SessionState => {
  const live = state.runs.get(event.run_id);
  if (live === undefined) {
    if (state.settled.has(event.run_id)) return moved(state, frame);
    if (event.run_seq > 1) return joinedLate(state, frame, event);
  }
  const run = live ?? startRun(event.run_id);
  switch (applyRunEvent(run.view, event)) {
    case "gap":
      return { ...state, gaps: state.gaps + 1 };
    case "duplicate":
      return moved(state, frame);
    case "applied":
      return moved(afterEvent(state, { ...run }, event), frame);
  }
};

/** An event of a run that this state never followed: its end is welcome, the middle of it is a hole. */
const joinedLate = (state: SessionState, frame: Frame, event: RunFrame): SessionState => {
  if (event.event === "stream_end") return moved(state, frame);
  const view = createRunView(event.run_id);
  view.lastSeq = event.run_seq - 1;
  applyRunEvent(view, event);
  if (view.terminal === null) return { ...state, gaps: state.gaps + 1 };
  return moved(settleOn(state, { ...startRun(event.run_id), view }, event), frame);
};

const afterEvent = (state: SessionState, run: LiveRun, event: RunFrame): SessionState => {
  if (event.event === "run_queued") {
    const { message } = event as unknown as RunEventPayload<"run_queued">;
    return replaceRun(withMessages(state, message ? [message] : []), run);
  }
  if (event.event === "run_started") {
    const { model } = event as unknown as RunEventPayload<"run_started">;
    return replaceRun({ ...state, model: model || state.model }, run);
  }
  if (run.view.terminal?.event === event.event) return settleOn(state, run, event);
  if (event.event === "stream_end") {
    // The end without its reason: the transcript knows (run-events section 9).
    if (run.awaiting || run.view.terminal !== null) return replaceRun(state, run);
    return wantRead(replaceRun(state, { ...run, awaiting: true, stopping: false }));
  }
  return replaceRun(state, run);
};

/** The committed messages replace the live turn in this one step; without them the live turn stays and a read is asked for. */
const settleOn = (
  state: SessionState,
  run: LiveRun,
  event: Readonly<Record<string, unknown>>,
): SessionState => {
  const { messages, session } = event as unknown as { messages?: readonly Message[]; session?: Session };
  const next = withSession(state, session);
  if (messages !== undefined) return settleRun(withMessages(next, messages), run);
  if (isCommitted(next.messages, run.runId)) return settleRun(next, run);
  return wantRead(replaceRun(next, { ...run, awaiting: true, stopping: false }));
};

const applySnapshot = (state: SessionState, snapshot: Snapshot): SessionState => {
  const { views, messages, model } = foldEvents(snapshot.events as unknown as RunFrame[], state.model);
  const unfinished = new Map(snapshot.runs.map((run) => [run.id, run]));
  const runs = new Map<string, LiveRun>();
  // Runs that ended while we were away stay on the screen until the transcript was read.
  for (const run of state.runs.values())
    if (!unfinished.has(run.runId) && !views.has(run.runId))
      runs.set(run.runId, { ...run, awaiting: true, stopping: false });
  const left = runs.size;
  const settled = new Map(state.settled);
  for (const id of new Set([...unfinished.keys(), ...views.keys()])) {
    settled.delete(id);
    const stopping = unfinished.get(id)?.status === "cancelling" || (state.runs.get(id)?.stopping ?? false);
    runs.set(id, { ...startRun(id), view: views.get(id) ?? createRunView(id), stopping });
  }
  let next = withMessages(
    { ...state, session: snapshot.session, model, runs, settled, cursor: snapshot.last_event_id, gaps: 0 },
    messages,
  );
  for (const [id, { terminal }] of views) {
    const run = next.runs.get(id);
    if (terminal !== null && run !== undefined) next = settleOn(next, run, terminal.payload);
  }
  const ahead = state.phase === "ready" && snapshot.session.revision > state.revision;
  return ahead || left > 0 ? wantRead(next) : next;
};

/** The views that a snapshot's events make, and what they say besides. */
const foldEvents = (events: readonly RunFrame[], known: string | null) => {
  const views = new Map<string, RunView>();
  const messages: Message[] = [];
  let model = known;
  for (const event of events) {
    const view = views.get(event.run_id) ?? createRunView(event.run_id);
    views.set(event.run_id, view);
    if (event.run_seq > view.lastSeq + 1) view.lastSeq = event.run_seq - 1; // the server says that this is all there is
    if (applyRunEvent(view, event) !== "applied") continue;
    if (event.event === "run_queued" && event.message) messages.push(event.message as Message);
    if (event.event === "run_started" && typeof event.model === "string" && event.model !== "")
      model = event.model;
  }
  return { views, messages, model };
};

/** The server cannot continue where we were: what was live is dropped and told again. */
const applyReset = (state: SessionState, { run_id }: { run_id?: string | null }): SessionState => {
  const runs = new Map(state.runs);
  if (run_id) runs.delete(run_id);
  else runs.clear();
  return wantRead({ ...state, runs, cursor: null, gaps: 0 });
};

const withMessages = (state: SessionState, news: readonly Message[]): SessionState => {
  if (news.length === 0) return state;
  const runs = new Set(news.map((message) => message.run_id));
  const pending = state.pending.some((start) => start.runId !== null && runs.has(start.runId))
    ? state.pending.filter((start) => start.runId === null || !runs.has(start.runId))
    : state.pending;
  return { ...state, messages: upsertMessages(state.messages, news), pending };
};

const withSession = (state: SessionState, session: Session | undefined): SessionState => {
  if (session === undefined) return state;
  return {
    ...state,
    session: newerSession(state.session, session),
    revision: Math.max(state.revision, session.revision),
  };
};

/** Answers and events may overtake each other: the higher revision wins, the later one of two equal ones. */
export const newerSession = (known: Session | null, news: Session): Session =>
  known !== null && known.revision > news.revision ? known : news;

/** Answers and events may overtake each other: an ended job stays ended, unless it was begun anew. */
export const withJob = (jobs: SessionState["jobs"], job: Job): SessionState["jobs"] => {
  const known = jobs[job.kind];
  const isOld =
    known !== undefined &&
    (known.created_at > job.created_at ||
      (known.id === job.id &&
        known.created_at === job.created_at &&
        (known.ended_at !== null || known.attempt > job.attempt) &&
        job.ended_at === null));
  return isOld ? jobs : { ...jobs, [job.kind]: job };
};

const moved = (state: SessionState, frame: Frame): SessionState => ({
  ...state,
  cursor: frame.id ?? state.cursor,
  gaps: 0,
});

const startRun = (runId: string): LiveRun => ({
  runId,
  view: createRunView(runId),
  stopping: false,
  awaiting: false,
  localNotice: null,
});

const isRunFrame = (data: Record<string, unknown>): boolean =>
  typeof data.run_id === "string" && typeof data.run_seq === "number";

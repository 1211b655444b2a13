import type { Frame } from "../../api/web/model/frame.ts";
import { reduceSession } from "../../api/web/model/reduce-session.ts";
import { createSessionState, type SessionState } from "../../api/web/model/session-state.ts";
import { partsOfMessages, partsOfView, type Turn, timelineOf } from "../../api/web/model/timeline.ts";
import type { Job } from "../../common/contracts/job.ts";
import type { Message } from "../../common/contracts/message.ts";
import type { Session } from "../../common/contracts/session.ts";

/** Builders of what a server would send, for the tests of the page's model. */
export const session = (id: string, revision = 1): Session => ({
  id,
  title: `Session ${id}`,
  title_source: "provisional",
  profile: "default",
  model: null,
  workspace: null,
  source: "talaria",
  created_at: 1_000,
  updated_at: 1_000,
  last_message_at: null,
  message_count: 0,
  revision,
  active_run_id: null,
  pinned: false,
  archived: false,
  last_message: null,
  unread_count: 0,
  forked_from: null,
});

export const message = (
  runId: string,
  role: Message["role"],
  content: string,
  more: Partial<Message> = {},
): Message => ({
  id: `${runId}-${role}`,
  session_id: "s",
  run_id: runId,
  role,
  content,
  status: "complete",
  origin: "talaria",
  created_at: 1_000,
  ...more,
});

/** Background work on the session `s` that goes on. */
export const job = (kind: Job["kind"], more: Partial<Job> = {}): Job => ({
  id: `${kind}-s-0`,
  kind,
  session_id: "s",
  profile: "default",
  state: "running",
  reason: null,
  progress: null,
  result: null,
  attempt: 1,
  input_revision: 0,
  created_at: 1,
  started_at: 1,
  ended_at: null,
  ...more,
});

const USAGE = {
  input_tokens: 1,
  output_tokens: 1,
  reasoning_tokens: 0,
  cache_read_tokens: 0,
  duration_seconds: 1,
};

/** A journal of one session: events get their ids and run numbers as the server gives them. */
export const createJournal = (sessionId = "s") => {
  const frames: Frame[] = [];
  const numbers = new Map<string, number>();
  const add = (runId: string, event: string, payload: Record<string, unknown> = {}): Frame => {
    const run_seq = (numbers.get(runId) ?? 0) + 1;
    numbers.set(runId, run_seq);
    const frame = {
      id: `${frames.length + 1}-1`,
      event,
      data: { run_id: runId, run_seq, attempt: 1, ...payload },
    };
    frames.push(frame);
    return frame;
  };
  return {
    frames,
    add,
    queued: (runId: string, text: string, position = 0) =>
      add(runId, "run_queued", {
        position,
        message: message(runId, "user", text, { session_id: sessionId }),
      }),
    started: (runId: string, attempt = 1) =>
      add(runId, "run_started", { model: "demo", profile: "default", attempt }),
    token: (runId: string, text: string, step = 1) => add(runId, "token", { text, step }),
    done: (runId: string, text: string, revision = 2) =>
      add(runId, "done", {
        session: session(sessionId, revision),
        messages: [message(runId, "user", "hello"), message(runId, "assistant", text)],
        usage: USAGE,
      }),
    end: (runId: string) => add(runId, "stream_end", { session_id: sessionId }),
    changed(reason: string, revision: number, more: Partial<Session> = {}): Frame {
      const frame = {
        id: `${frames.length + 1}-1`,
        event: "session_changed",
        data: { session: { ...session(sessionId, revision), ...more }, reason },
      };
      frames.push(frame);
      return frame;
    },
  };
};

export const feed = (state: SessionState, frames: readonly Frame[]): SessionState =>
  frames.reduce((s, frame) => reduceSession(s, { type: "frame", frame }), state);

export const loaded = (messages: readonly Message[] = [], revision = 1): SessionState => {
  const state = reduceSession(createSessionState("s"), { type: "session", session: session("s", revision) });
  return read(state, messages, revision);
};

/** The answer to a read of the transcript that was sent now. */
export const read = (state: SessionState, messages: readonly Message[], revision: number): SessionState =>
  reduceSession(state, {
    type: "messages",
    page: { data: messages, next_cursor: null, revision, store: "ok" },
    read: state.reads.wanted,
  });

const partsOf = (turn: Turn) =>
  turn.live === null
    ? partsOfMessages(turn.committed, turn.facts)
    : partsOfView(turn.live.view, turn.live.view.terminal !== null);

/** Everything a person sees, as text: what was asked, what was answered, notices. */
export const screen = (state: SessionState): string[] =>
  timelineOf(state).flatMap((turn) => [
    ...turn.committed.filter((m) => m.role === "user").map((m) => `you: ${m.content}`),
    ...(turn.pending === null ? [] : [`pending: ${turn.pending.text}`]),
    ...partsOf(turn).map((part) =>
      part.kind === "tool" ? `tool ${part.name}: ${part.state}` : `${part.kind}: ${part.text}`,
    ),
    ...turn.committed.filter((m) => m.role === "notice").map((m) => `notice: ${m.content}`),
    ...(turn.live?.localNotice ? [`notice: ${turn.live.localNotice}`] : []),
  ]);

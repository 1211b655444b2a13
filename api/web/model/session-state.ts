import type { ContextInfo } from "../../../common/contracts/context.ts";
import type { RunEventPayload } from "../../../common/contracts/events.ts";
import type { Job } from "../../../common/contracts/job.ts";
import type { Message } from "../../../common/contracts/message.ts";
import type { Process } from "../../../common/contracts/process.ts";
import type { Recap } from "../../../common/contracts/recap.ts";
import type { Run } from "../../../common/contracts/run.ts";
import type { RunView } from "../../../common/contracts/run-view.ts";
import type { Session, SessionHead, StoreState } from "../../../common/contracts/session.ts";
import type { Frame } from "./frame.ts";

/** A run whose committed messages do not stand in the transcript yet. */
export interface LiveRun {
  readonly runId: string;
  /** Owned by this state and advanced in place; every change comes with a new `LiveRun` around it. */
  readonly view: RunView;
  /** A stop was asked for and not answered by an event yet. */
  readonly stopping: boolean;
  /** The run has ended, its messages must still be read; what is on the screen stays until then (C-19). */
  readonly awaiting: boolean;
  /** Shown when that read failed; gone with the first read that succeeds. */
  readonly localNotice: string | null;
}

/** What only the events told about a run, kept beside its committed messages. */
export interface RunFacts {
  readonly outcome: "done" | "cancel" | "apperror" | "interrupted" | "unknown";
  readonly recovered: boolean;
  readonly toolLimit: boolean;
  readonly error: Pick<RunEventPayload<"apperror">, "type" | "message" | "hint" | "details"> | null;
  readonly warnings: readonly RunEventPayload<"warning">[];
  /** tool call id -> how it ended. */
  readonly tools: ReadonlyMap<string, RunEventPayload<"tool_complete">>;
}

/** A message on its way to the server. */
export interface PendingStart {
  /** The idempotency key: one message, one key, however often it is sent (C-4). */
  readonly key: string;
  readonly text: string;
  /** Set by the answer; the entry goes when the run's own message arrives. */
  readonly runId: string | null;
  readonly retrying: boolean;
}

export interface SessionState {
  readonly id: string;
  readonly session: Session | null;
  /** The model of the latest run that began here. */
  readonly model: string | null;
  readonly phase: "loading" | "ready" | "missing" | "failed";
  /** Committed messages, oldest first. */
  readonly messages: readonly Message[];
  /** Revision of the session that `messages` is known to include. */
  readonly revision: number;
  /** Cursor of the page before the first message; null: the beginning is here. */
  readonly older: string | null;
  /** Runs that are not settled, in the order they will run. */
  readonly runs: ReadonlyMap<string, LiveRun>;
  readonly settled: ReadonlyMap<string, RunFacts>;
  /** Position in the session's journal that this state includes, no more and no less (run-events 10.3). */
  readonly cursor: string | null;
  /** The transcript must be read while `wanted > done`; a read counts for the `wanted` it started with. */
  readonly reads: { readonly wanted: number; readonly done: number };
  /** Holes met in a row since an event was last applied; each asks for a reconnect. */
  readonly gaps: number;
  readonly pending: readonly PendingStart[];
  /** A change from outside that `messages` does not include yet; `cut`: messages went (B1 to B11). */
  readonly outside: { readonly revision: number; readonly cut: boolean } | null;
  /** The reader is not at the end, or has text selected: nothing may move (B5). */
  readonly away: boolean;
  /** Messages that came from outside while the reader was away. */
  readonly news: number;
  /** What the newest page said about the shared transcript. */
  readonly store: StoreState;
  /** The user message that is being edited in place. */
  readonly editing: string | null;
  /** A cut, retry or edit was sent and not answered. */
  readonly changing: boolean;
  /** A message to bring into view. */
  readonly reveal: string | null;
  /** The background work that was last told of. */
  readonly jobs: Readonly<Partial<Record<Job["kind"], Job>>>;
  /** Cards behind messages; those of messages that are gone are not shown. */
  readonly recaps: readonly Recap[];
  /** So much was said since the last visit that a recap is offered. */
  readonly offer: boolean;
  /** The recap that was asked for here and comes into view when it is there. */
  readonly awaitedRecap: string | null;
  /** Compressions of what the model is sent, the newest first. */
  readonly contexts: readonly ContextInfo[];
  /** The newest compression that had been told of when they were read. */
  readonly contextsTold: number;
  /** The newest compression that a run told of which has ended since. */
  readonly settledVersion: number;
  /** Background processes of the session, the oldest first. */
  readonly processes: readonly Process[];
}

export type SessionAction =
  | { readonly type: "frame"; readonly frame: Frame }
  | { readonly type: "session"; readonly session: Session }
  | { readonly type: "missing" }
  | {
      readonly type: "messages";
      readonly page: {
        readonly data: readonly Message[];
        readonly next_cursor: string | null;
        readonly revision: number;
        readonly store?: StoreState;
        readonly recaps?: readonly Recap[];
      };
      /** The `reads.wanted` at the time the request was sent. */
      readonly read: number;
    }
  | {
      readonly type: "older_messages";
      readonly page: {
        readonly data: readonly Message[];
        readonly next_cursor: string | null;
        readonly recaps?: readonly Recap[];
      };
    }
  | { readonly type: "messages_failed"; readonly botName: string | null }
  | { readonly type: "start_sent"; readonly key: string; readonly text: string }
  | { readonly type: "start_retrying"; readonly key: string }
  | { readonly type: "start_accepted"; readonly key: string; readonly run: Run }
  | { readonly type: "start_failed"; readonly key: string }
  | { readonly type: "stop_sent"; readonly runId: string }
  | { readonly type: "stop_failed"; readonly runId: string }
  | { readonly type: "forget_cursor" }
  | { readonly type: "outside"; readonly session: Session; readonly cut: boolean }
  | { readonly type: "head"; readonly head: SessionHead }
  | { readonly type: "reader"; readonly away: boolean }
  | { readonly type: "job"; readonly job: Job }
  | { readonly type: "contexts"; readonly contexts: readonly ContextInfo[]; readonly told: number }
  | { readonly type: "editing"; readonly messageId: string | null }
  | { readonly type: "changing"; readonly changing: boolean }
  /** The server has accepted a retry or an edit: `messageId` and what follows it are replaced by the run. */
  | {
      readonly type: "replaced";
      readonly messageId: string;
      readonly key: string;
      readonly text: string;
      readonly run: Run;
    }
  | { readonly type: "processes"; readonly processes: readonly Process[] }
  | { readonly type: "reveal"; readonly messageId: string | null }
  | { readonly type: "recap_asked"; readonly job: Job }
  | { readonly type: "recap_offer"; readonly offer: boolean };

export const createSessionState = (id: string): SessionState => ({
  id,
  session: null,
  model: null,
  phase: "loading",
  messages: [],
  revision: 0,
  older: null,
  runs: new Map(),
  settled: new Map(),
  cursor: null,
  reads: { wanted: 1, done: 0 },
  gaps: 0,
  pending: [],
  outside: null,
  away: false,
  news: 0,
  store: "none",
  editing: null,
  changing: false,
  reveal: null,
  jobs: {},
  recaps: [],
  offer: false,
  awaitedRecap: null,
  contexts: [],
  contextsTold: 0,
  settledVersion: 0,
  processes: [],
});

import type { Logger } from "pino";
import type { RunEvent, SessionEvent, SessionsChanged } from "../contracts/events.ts";
import type { Message } from "../contracts/message.ts";
import type { Session } from "../contracts/session.ts";
import type { Journal, NewEntry } from "../journal/port.ts";
import type { JobQueue } from "../queues/job-queue.ts";
import type { OwnRow } from "../sessions/cut-ops.ts";
import type { Async } from "../sqlite/client.ts";
import type { ReadOps, WriteOps } from "../talaria-db/module.ts";
import type { Traces } from "../tracing/traces.ts";

/** What both kinds of process hand to the lifecycle room. */
export interface LifecycleDeps {
  readonly read: Async<ReadOps>;
  readonly write: Async<WriteOps>;
  readonly journal: Journal;
  readonly queue: JobQueue;
  readonly canonical: CanonicalStore;
  /** The newest row of a session's conversation in state.db; 0 where there is none, or it cannot be read. */
  readonly newestRow: (sessionId: string) => Promise<number>;
  /** Hints to followers of the session list; a lost one only delays a refresh. */
  readonly hint: (hint: SessionsChanged) => void;
  /** Wakes the worker that holds the run; a lost one only delays the stop. */
  readonly wakeCancel: (runId: string) => void;
  /** Spans of what is done; absent: none. */
  readonly traces?: Traces;
  readonly log: Logger;
}

/** The profiles' state.db files, as the lifecycle writes them. */
export interface CanonicalStore {
  /**
   * Brings messages into the tip of a conversation; repeating it changes nothing. Notices and messages without a text are left out. "later": try again
   * (locked, unavailable); "refused": never will (foreign or closed file), the sidecar keeps the messages alone.
   */
  append(turn: {
    readonly profile: string;
    /** Any segment of the conversation; made when the file has none of that id. */
    readonly storeId: string;
    readonly session: Pick<Session, "title" | "workspace">;
    readonly model: string | null;
    readonly messages: readonly Message[];
    /** The conversation that this one is a branch of. */
    readonly forkedFrom: string | null;
    /** The highest row id that earlier messages of the session got; a file that never gave it out comes "later". */
    readonly newestOwnRow: number;
  }): Promise<Appended>;
  /** Takes rows of ours out of the conversation's history; true when nothing is left to do. */
  rewindOwn(cut: {
    readonly profile: string;
    readonly storeId: string;
    readonly rows: readonly OwnRow[];
  }): Promise<boolean>;
  /** Deletes rows of ours; true when nothing is left to do. */
  deleteOwn(grave: {
    readonly profile: string;
    readonly storeId: string;
    readonly rows: readonly OwnRow[];
  }): Promise<boolean>;
  /** Renames a conversation that we made; resolves with what it is called there, null where it could not be told. */
  setTitle(profile: string, storeId: string, title: string): Promise<string | null>;
}

export type Appended =
  | {
      readonly status: "ok";
      /** What the conversation is called there. */
      readonly title: string | null;
      readonly rows: readonly { readonly messageId: string; readonly rowId: number; readonly uid: string }[];
    }
  | { readonly status: "later" | "refused" };

export const entryOf = (event: RunEvent | SessionEvent): NewEntry => ({
  event: event.event,
  data: JSON.stringify(event.payload),
});

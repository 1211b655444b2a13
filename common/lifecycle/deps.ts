import type { Logger } from "pino";
import type { RunEvent, SessionEvent, SessionsChanged } from "../contracts/events.ts";
import type { Journal, NewEntry } from "../journal/port.ts";
import type { RunQueue } from "../queues/run-queue.ts";
import type { EndedTurn } from "../runs/ledger.ts";
import type { Async } from "../sqlite/client.ts";
import type { ReadOps, WriteOps } from "../talaria-db/module.ts";

/** What both kinds of process hand to the lifecycle room. */
export interface LifecycleDeps {
  readonly read: Async<ReadOps>;
  readonly write: Async<WriteOps>;
  readonly journal: Journal;
  readonly queue: RunQueue;
  readonly canonical: CanonicalStore;
  /** Hints to followers of the session list; a lost one only delays a refresh. */
  readonly hint: (hint: SessionsChanged) => void;
  /** Wakes the worker that holds the run; a lost one only delays the stop. */
  readonly wakeCancel: (runId: string) => void;
  readonly log: Logger;
}

/** The profile's state.db, as the lifecycle needs it. */
export interface CanonicalStore {
  /**
   * Brings an ended turn into the profile's state.db; repeating it changes nothing. "later": try again (locked, unavailable);
   * "refused": never will (foreign or closed file), the sidecar keeps the turn alone.
   */
  appendTurn(turn: EndedTurn): Promise<"ok" | "later" | "refused">;
}

export const entryOf = (event: RunEvent | SessionEvent): NewEntry => ({
  event: event.event,
  data: JSON.stringify(event.payload),
});

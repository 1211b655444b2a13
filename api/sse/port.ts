import type { SessionsChanged } from "../../common/contracts/events.ts";
import type { Entry } from "../../common/journal/port.ts";

/** An entry with its frame's data, serialised once for all followers. */
export interface HubEntry extends Entry {
  /** `{"run_id":…,"run_seq":…,"attempt":…, …payload}` for run entries, the payload itself for others. */
  readonly json: string;
}

/** An entry of a session's log that a follower has come to; the same number of another generation is another entry. */
export interface LogPosition {
  /** 0: the start of the log. */
  readonly seq: number;
  /** -1: not known. */
  readonly generation: number;
}

export const LOG_START: LogPosition = { seq: 0, generation: -1 };

/** Followers and sessions as they are; the rest counts up from the start. */
export interface HubStats {
  readonly followers: number;
  readonly sessions: number;
  /** Entries of the blocking read, once for all followers. */
  readonly entriesRead: number;
  /** Entries that left a ring: who is behind them reads the journal. */
  readonly evicted: number;
  /** Pages that followers asked of the journal. */
  readonly historyReads: number;
}

/**
 * Follows sessions with one blocking Redis read per process, whatever the number of followers (run-events R-26).
 * The caller's position is its own: a slow reader delays nobody and is never skipped.
 */
export interface Hub {
  /**
   * Entries strictly after `after`, then live ones, in batches as they become available; the same loop for history and
   * live. Ends quietly on abort. Rejects with `redis_unavailable` only when nothing can be read for the time of an outage
   * longer than `outageMs`; a shorter outage is a pause. Rejects with `LogRestart` when `after`, or what was given since, is
   * not in the log any more: Redis lost it, whatever stands in its place.
   */
  follow(sessionId: string, after: LogPosition, signal: AbortSignal): AsyncIterable<readonly HubEntry[]>;
  /** Session-list hints of every process, coalesced per follower so that scope only widens. */
  hints(signal: AbortSignal): AsyncIterable<SessionsChanged>;
  readonly stats: HubStats;
  close(): Promise<void>;
}

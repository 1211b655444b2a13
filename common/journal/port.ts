/**
 * One append-only log per session. Everything that happens to a session is an entry; a run is a span in it, with a
 * numbering of its own (`runSeq` 1, 2, 3 … without holes). DESIGN 5; run-events; reliability 3, 4.
 *
 * `generation` is the fence: a counter of the session in the database, raised by every claim of a run. The journal never
 * makes one up. An entry's id is `<seq>-<generation>`, so numbers given out again after Redis lost a tail never
 * name the same entry.
 */

/** One entry, as stored and as read. `data` is the text of one JSON object (the payload, without the envelope). */
export interface Entry {
  /** Position in the session's log: 1, 2, 3 … */
  readonly seq: number;
  readonly generation: number;
  readonly event: string;
  /** null for entries that belong to no run. */
  readonly runId: string | null;
  /** 0 for entries that belong to no run. */
  readonly runSeq: number;
  readonly attempt: number;
  readonly data: string;
}

export interface NewEntry {
  readonly event: string;
  /** Text of one JSON object. */
  readonly data: string;
}

/** Who appends: one attempt of one run, under the generation its claim got from the database. */
export interface Writer {
  readonly sessionId: string;
  readonly runId: string;
  readonly generation: number;
  readonly attempt: number;
}

export type AppendResult =
  /** Appended, or (`duplicate`) this batch number was appended before: the reply of the first time. */
  | {
      readonly status: "ok";
      readonly duplicate: boolean;
      readonly lastSeq: number;
      readonly lastRunSeq: number;
      /** Someone asked for the run to stop (a hint; the database is the truth). */
      readonly cancelRequested: boolean;
    }
  /** A newer generation owns the log: stop, touch nothing. */
  | { readonly status: "stale"; readonly generation: number }
  /** The run has its terminal event already. */
  | { readonly status: "closed" }
  /** Redis has lost entries of this run: an attempt gives up and claims again, who announces reads what is there. */
  | { readonly status: "gap" }
  /** The run's byte cap is reached; only a final batch still passes. */
  | { readonly status: "full" };

/** What the log knows of a run. */
export interface RunSpan {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly lastRunSeq: number;
  readonly lastAttempt: number;
  readonly lastGeneration: number;
  readonly closed: boolean;
}

export type CursorCheck =
  /** Continue strictly after this entry; at the start `seq` and `generation` are 0. */
  | { readonly kind: "after"; readonly seq: number; readonly generation: number; readonly runSeq: number }
  /** The cursor names no existing entry: say `reset` and replay. */
  | { readonly kind: "unknown" }
  /** What follows the cursor is no longer kept, or is more than a replay may carry: say `snapshot`. */
  | { readonly kind: "expired" };

export interface Journal {
  /**
   * Takes the log over for `writer.generation`: from the reply on, every append of an older generation is refused. Call it
   * before reading what the last attempt wrote. `minSeq` is the highest seq the database has seen of this session; the log
   * goes on after it even when Redis was emptied. Safe to repeat. Rejects when Redis cannot be reached.
   */
  claim(writer: Writer, minSeq: number): Promise<AppendResult>;
  /**
   * Fence, numbering and adding in one step. `batch` counts 1, 2, 3 … within the attempt and makes a repeat harmless.
   * `final` closes the run: nothing of it is accepted afterwards. Rejects only when Redis cannot be reached.
   */
  append(writer: Writer, batch: number, entries: readonly NewEntry[], final?: boolean): Promise<AppendResult>;
  /**
   * Appends without owning the log (run_queued, session_changed, the end of a run that no worker holds): numbered under
   * `max(generation, the log's own)`. With the same `dedupe` of the same run a second call appends nothing (`duplicate`).
   * `final` closes the run. A run that is closed already answers `closed`, and one whose log does not reach `reachesRunSeq` (it was
   * there, and Redis lost it) `gap`: then nothing was appended.
   */
  announce(
    target: {
      readonly sessionId: string;
      readonly runId: string | null;
      readonly generation: number;
      readonly attempt: number;
      readonly minSeq: number;
      readonly reachesRunSeq?: number;
    },
    dedupe: string,
    entries: readonly NewEntry[],
    final?: boolean,
  ): Promise<AppendResult>;
  /** Entries with seq > `after`, oldest first, at most `count`; from the archive where the stream was trimmed. */
  range(sessionId: string, after: number, count: number): Promise<readonly Entry[]>;
  /** Entries of one run with runSeq > `afterRunSeq`; `next` continues, null when all there is now was read. */
  runRange(sessionId: string, runId: string, afterRunSeq: number, count: number): Promise<readonly Entry[]>;
  /** null when neither stream nor archive has an entry of the run. */
  span(sessionId: string, runId: string): Promise<RunSpan | null>;
  /** Newest entry of the session's log; null when it is empty. */
  head(sessionId: string): Promise<{ readonly seq: number; readonly generation: number } | null>;
  /** Heads of many sessions with one round trip. */
  heads(
    sessionIds: readonly string[],
  ): Promise<readonly ({ readonly seq: number; readonly generation: number } | null)[]>;
  /** Resolves a session cursor `<seq>-<generation>`. */
  checkSessionCursor(sessionId: string, cursor: string): Promise<CursorCheck>;
  /** Resolves a run cursor `<runId>:<runSeq>` or `<runId>:<runSeq>-<generation>`. */
  checkRunCursor(sessionId: string, runId: string, cursor: string): Promise<CursorCheck>;
  /** Sets the hint that comes back as `cancelRequested`. */
  requestCancel(sessionId: string, runId: string): Promise<void>;
  /** Moves an ended run into the archive (compressed). Returns false when it is not closed or already archived. */
  archive(sessionId: string, runId: string): Promise<boolean>;
  /** Trims archived runs whose end is older than `beforeMs` (epoch) from the stream, whole runs from the front only. */
  trim(sessionId: string, beforeMs: number): Promise<number>;
  /** Removes the log; `generation` stays as a fence so that a late append re-creates nothing. */
  remove(sessionId: string, generation: number): Promise<void>;
}

/** An archived run: `data` is the compressed text of its entries. */
export interface ArchivedRun {
  readonly runId: string;
  readonly sessionId: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly lastRunSeq: number;
  readonly lastAttempt: number;
  readonly lastGeneration: number;
  readonly entryCount: number;
  readonly archivedAtMs: number;
  readonly data: Uint8Array;
}

/** Where archived runs are kept (talaria.db). `put` of a run that is there already changes nothing. */
export interface ArchiveStore {
  put(run: ArchivedRun): Promise<void>;
  get(runId: string): Promise<ArchivedRun | null>;
  /** Archived runs of the session with lastSeq > `after`, by firstSeq, at most `limit`. */
  after(sessionId: string, after: number, limit: number): Promise<readonly ArchivedRun[]>;
}

/** Wire id of an entry on the session's stream. */
export const sessionCursor = (entry: Pick<Entry, "seq" | "generation">): string =>
  `${entry.seq}-${entry.generation}`;

/** Wire id of an entry on its run's stream: with the generation from the second attempt on (DESIGN 5). */
export const runCursor = (entry: Pick<Entry, "runSeq" | "generation" | "attempt">, runId: string): string =>
  entry.attempt <= 1 ? `${runId}:${entry.runSeq}` : `${runId}:${entry.runSeq}-${entry.generation}`;

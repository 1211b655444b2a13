import type { Redis } from "ioredis";
import type { Keys } from "../redis/keys.ts";
import type { ArchiveReader } from "./archive.ts";
import { parseRunCursor, parseSessionCursor } from "./cursor.ts";
import type { CursorCheck, Entry, Journal, RunSpan } from "./port.ts";
import {
  parseEntry,
  parseEntryId,
  parseStoredRun,
  type RawEntry,
  RUN_FIELDS,
  roundTrip,
  type StoredRun,
} from "./stream.ts";

export interface ReadDeps {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly archive: ArchiveReader;
}

/** Further behind than this a session's cursor gets a snapshot instead of a replay. */
export const MAX_REPLAY = 10_000;

type Reader = Pick<
  Journal,
  "range" | "runRange" | "span" | "head" | "heads" | "checkSessionCursor" | "checkRunCursor"
> & { storedRun(sessionId: string, runId: string): Promise<StoredRun | null> };

/** The reading half of the journal: the stream, and the archive for what the stream no longer holds. */
export const createReader = ({ redis, keys, archive }: ReadDeps): Reader => {
  const storedRun = async (sessionId: string, runId: string): Promise<StoredRun | null> =>
    parseStoredRun(await redis.hmget(keys.run(sessionId, runId), ...RUN_FIELDS));

  const heads: Journal["heads"] = async (sessionIds) => {
    const replies = await roundTrip(
      redis,
      sessionIds.map((id) => ["hget", keys.head(id), "last"] as const),
    );
    return replies.map((last) => (typeof last === "string" ? parseEntryId(last) : null));
  };

  const range: Journal["range"] = async (sessionId, after, count) => {
    const log = keys.log(sessionId);
    const [raw, first] = (await roundTrip(redis, [
      ["xrange", log, after + 1, "+", "COUNT", count],
      ["xrange", log, "-", "+", "COUNT", 1],
    ])) as [RawEntry[], RawEntry[]];
    const kept = raw.map(parseEntry);
    const start = first[0] === undefined ? Number.POSITIVE_INFINITY : parseEntryId(first[0][0]).seq;
    // Nothing after the position was ever trimmed: the stream alone tells it.
    if (start <= after + 1) return kept;
    const older = await archivedRange(sessionId, after, start, count);
    return older.length === 0 ? kept : [...older, ...kept].slice(0, count);
  };

  /** Entries of archived runs with `after` < seq < `before`. */
  const archivedRange = async (
    sessionId: string,
    after: number,
    before: number,
    count: number,
  ): Promise<readonly Entry[]> => {
    for (let limit = ARCHIVE_PAGE; ; limit *= 4) {
      const runs = await archive.after(sessionId, after, limit);
      const found: Entry[] = [];
      let enough = runs.length < limit;
      for (const run of runs) {
        // Runs come by their first entry: what stands before the next one's is complete.
        if (run.firstSeq >= before || found.filter(({ seq }) => seq < run.firstSeq).length >= count) {
          enough = true;
          break;
        }
        const entries = await archive.entries(run);
        const start = lowerBound(entries, ({ seq }) => seq > after);
        found.push(...entries.slice(start, start + count).filter(({ seq }) => seq < before));
      }
      if (enough) return found.sort((a, b) => a.seq - b.seq).slice(0, count);
    }
  };

  const runRange: Journal["runRange"] = async (sessionId, runId, afterRunSeq, count) => {
    const stored = await storedRun(sessionId, runId);
    const live = stored === null ? [] : await scanRun(sessionId, runId, stored, afterRunSeq, count);
    const whole =
      stored !== null && (stored.lastRunSeq <= afterRunSeq || live[0]?.runSeq === afterRunSeq + 1);
    if (whole) return live;
    // Trimmed, also while this was reading.
    const archived = await archive.run(runId);
    if (archived === null || archived.run.sessionId !== sessionId) return live;
    const start = lowerBound(archived.entries, (entry) => entry.runSeq > afterRunSeq);
    return archived.entries.slice(start, start + count);
  };

  /** Reads a run's entries off the session's stream, starting as near as the run's anchors allow. */
  const scanRun = async (
    sessionId: string,
    runId: string,
    stored: StoredRun,
    afterRunSeq: number,
    count: number,
  ): Promise<Entry[]> => {
    const found: Entry[] = [];
    if (stored.lastRunSeq <= afterRunSeq) return found;
    // Entry m of a run stands at least m-1 places behind its first; other runs' entries in between only push it further.
    const anchor =
      afterRunSeq + 1 >= stored.attemptFirst.runSeq
        ? stored.attemptFirst
        : { seq: stored.firstSeq, runSeq: 1 };
    let from = anchor.seq + Math.max(0, afterRunSeq + 1 - anchor.runSeq);
    while (found.length < count && from <= stored.lastSeq) {
      const page = (await redis.xrange(
        keys.log(sessionId),
        from,
        stored.lastSeq,
        "COUNT",
        Math.min(count - found.length, SCAN_PAGE),
      )) as RawEntry[];
      for (const raw of page) {
        const entry = parseEntry(raw);
        if (entry.runId === runId && entry.runSeq > afterRunSeq) found.push(entry);
        from = entry.seq + 1;
      }
      if (page.length === 0) break;
    }
    return found;
  };

  const span: Journal["span"] = async (sessionId, runId) => {
    const stored = await storedRun(sessionId, runId);
    if (stored !== null) return toSpan(stored);
    const archived = await archive.run(runId);
    if (archived === null || archived.run.sessionId !== sessionId) return null;
    return toSpan({ ...archived.run, closed: true });
  };

  const checkSessionCursor: Journal["checkSessionCursor"] = async (sessionId, cursor) => {
    const position = parseSessionCursor(cursor);
    if (position === null) return UNKNOWN;
    const [head] = await heads([sessionId]);
    if (position.kind === "start") return (head?.seq ?? 0) > MAX_REPLAY ? EXPIRED : START;
    const { seq, generation } = position;
    if (head === null || head === undefined || seq > head.seq) return UNKNOWN;
    const log = keys.log(sessionId);
    const id = `${seq}-${generation}`;
    const [exact, first] = (await roundTrip(redis, [
      ["xrange", log, id, id],
      ["xrange", log, "-", "+", "COUNT", 1],
    ])) as [RawEntry[], RawEntry[]];
    const start = first[0] === undefined ? Number.POSITIVE_INFINITY : parseEntryId(first[0][0]).seq;
    const found =
      exact[0] === undefined
        ? seq < start
          ? await findArchived(sessionId, seq)
          : undefined
        : parseEntry(exact[0]);
    if (found === undefined) return seq < start && generation <= head.generation ? EXPIRED : UNKNOWN;
    if (found.generation !== generation) return UNKNOWN;
    return head.seq - seq > MAX_REPLAY ? EXPIRED : { kind: "after", seq, generation, runSeq: found.runSeq };
  };

  const findArchived = async (sessionId: string, seq: number): Promise<Entry | undefined> => {
    const [found] = await archivedRange(sessionId, seq - 1, seq + 1, 1);
    return found;
  };

  const checkRunCursor: Journal["checkRunCursor"] = async (sessionId, runId, cursor) => {
    const position = parseRunCursor(cursor, runId);
    if (position === null) return UNKNOWN;
    if (position.kind === "start") return START;
    const [entry] = await runRange(sessionId, runId, position.runSeq - 1, 1);
    if (entry?.runSeq !== position.runSeq) return UNKNOWN;
    const named =
      position.generation === null ? entry.attempt <= 1 : entry.generation === position.generation;
    if (!named) return UNKNOWN;
    return { kind: "after", seq: entry.seq, generation: entry.generation, runSeq: entry.runSeq };
  };

  return {
    storedRun,
    heads,
    head: async (sessionId) => (await heads([sessionId]))[0] ?? null,
    range,
    runRange,
    span,
    checkSessionCursor,
    checkRunCursor,
  };
};

const ARCHIVE_PAGE = 8;
const SCAN_PAGE = 2_000;
const START: CursorCheck = { kind: "after", seq: 0, generation: 0, runSeq: 0 };
const UNKNOWN: CursorCheck = { kind: "unknown" };
const EXPIRED: CursorCheck = { kind: "expired" };

/** Index of the first element for which `holds`, in a list where it holds from some place on. */
const lowerBound = <T>(list: readonly T[], holds: (item: T) => boolean): number => {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = list[middle];
    if (item !== undefined && holds(item)) high = middle;
    else low = middle + 1;
  }
  return low;
};

const toSpan = ({
  firstSeq,
  lastSeq,
  lastRunSeq,
  lastAttempt,
  lastGeneration,
  closed,
}: RunSpan): RunSpan => ({ firstSeq, lastSeq, lastRunSeq, lastAttempt, lastGeneration, closed });

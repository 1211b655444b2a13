import type { Redis } from "ioredis";
import type { Keys } from "../redis/keys.ts";
import { loadScripts } from "../redis/scripts.ts";
import { createArchiveReader, encodeRun } from "./archive.ts";
import type { AppendResult, ArchiveStore, Entry, Journal, NewEntry } from "./port.ts";
import { createReader } from "./read.ts";
import { parseStoredRun, RUN_FIELDS, reaching, roundTrip } from "./stream.ts";
import { trimPoint } from "./trim.ts";

export interface RedisJournalDeps {
  /** A connection of the role `command`; the scripts are defined on it. */
  readonly redis: Redis;
  readonly keys: Keys;
  readonly archive: ArchiveStore;
  /** Bytes of payload a run may append; then only a final batch passes (reliability 11). */
  readonly maxRunBytes: number;
  /** Epoch milliseconds. */
  readonly now?: () => number;
}

/** The journal on Redis streams. Every call rejects with `redis_unavailable` when Redis cannot be reached, or refuses. */
export const createRedisJournal = (deps: RedisJournalDeps): Journal => {
  const { redis, keys, archive: store, maxRunBytes, now = Date.now } = deps;
  const script = loadScripts(redis);
  const reader = createReader({ redis, keys, archive: createArchiveReader(store) });

  const runKeys = (sessionId: string, runId: string | null): string[] => [
    keys.log(sessionId),
    keys.head(sessionId),
    runId === null ? keys.head(sessionId) : keys.run(sessionId, runId),
    keys.runs(sessionId),
  ];

  const appendBatch = async (
    writer: Parameters<Journal["append"]>[0],
    batch: { readonly number: number; readonly entries: readonly NewEntry[]; readonly final: boolean },
    minSeq: number,
  ): Promise<AppendResult> => {
    const { sessionId, runId, generation, attempt } = writer;
    const final = batch.final ? 1 : 0;
    const args = [runId, generation, attempt, batch.number, final, maxRunBytes, minSeq, now()];
    return parseReply(
      await script("journalAppend", runKeys(sessionId, runId), [...args, ...flatten(batch.entries)]),
    );
  };

  const readWhole = async (sessionId: string, runId: string): Promise<readonly Entry[]> => {
    const entries: Entry[] = [];
    for (;;) {
      const page = await reader.runRange(sessionId, runId, entries.at(-1)?.runSeq ?? 0, ARCHIVE_READ);
      entries.push(...page);
      if (page.length < ARCHIVE_READ) return entries;
    }
  };

  const archive = async (sessionId: string, runId: string): Promise<boolean> => {
    const stored = await reader.storedRun(sessionId, runId);
    if (stored === null || !stored.closed || stored.archived) return false;
    const entries = await readWhole(sessionId, runId);
    const { firstSeq, lastSeq, lastRunSeq, lastAttempt, lastGeneration } = stored;
    await store.put({
      ...{ runId, sessionId, firstSeq, lastSeq, lastRunSeq, lastAttempt, lastGeneration },
      entryCount: entries.length,
      archivedAtMs: now(),
      data: await encodeRun(entries),
    });
    await script("journalMark", [keys.run(sessionId, runId)], ["archived", 1]);
    return true;
  };

  const trim = async (sessionId: string, beforeMs: number): Promise<number> => {
    const members = await redis.zrange(keys.runs(sessionId), "0", "-1", "WITHSCORES");
    const ids = members.filter((_, index) => index % 2 === 0);
    const hashes = (await roundTrip(
      redis,
      ids.map((id) => ["hmget", keys.run(sessionId, id), ...RUN_FIELDS] as const),
    )) as (string | null)[][];
    const cut = trimPoint(
      ids.map((runId, index) => {
        const stored = parseStoredRun(hashes[index] ?? []);
        // A run that was only claimed has no entry yet; it begins no earlier than its place in the set.
        const firstSeq = stored?.firstSeq ?? Number(members[2 * index + 1]);
        const ended = stored?.closedAtMs ?? Number.POSITIVE_INFINITY;
        const trimmable = stored?.archived === true && ended < beforeMs;
        return { runId, firstSeq, lastSeq: stored?.lastSeq ?? firstSeq, trimmable };
      }),
    );
    if (cut === null) return 0;
    // Runs before the cut are closed and archived: nothing can change them between the reading and this.
    await redis
      .multi()
      .xtrim(keys.log(sessionId), "MINID", String(cut.before))
      .zrem(keys.runs(sessionId), ...cut.runIds)
      .del(...cut.runIds.map((runId) => keys.run(sessionId, runId)))
      .exec();
    return cut.runIds.length;
  };

  const remove = async (sessionId: string, generation: number): Promise<void> => {
    for (;;) {
      const runIds = await redis.zrange(keys.runs(sessionId), "0", "-1");
      const all = [keys.log(sessionId), keys.head(sessionId), keys.runs(sessionId)];
      for (const runId of runIds) all.push(keys.run(sessionId, runId));
      if ((await script("journalRemove", all, [generation])) === 1) return;
    }
  };

  return {
    claim: (writer, minSeq) =>
      reaching(() => appendBatch(writer, { number: 0, entries: [], final: false }, minSeq)),
    append: (writer, number, entries, final = false) =>
      reaching(() => appendBatch(writer, { number, entries, final }, 0)),
    announce: (target, dedupe, entries, final = false) =>
      reaching(async () => {
        const { sessionId, runId, generation, attempt, minSeq, reachesRunSeq = 0 } = target;
        const args = [runId ?? "", generation, attempt, dedupe, final ? 1 : 0, minSeq, now(), reachesRunSeq];
        return parseReply(
          await script("journalAnnounce", runKeys(sessionId, runId), [...args, ...flatten(entries)]),
        );
      }),
    range: (...args) => reaching(() => reader.range(...args)),
    runRange: (...args) => reaching(() => reader.runRange(...args)),
    span: (...args) => reaching(() => reader.span(...args)),
    head: (...args) => reaching(() => reader.head(...args)),
    heads: (...args) => reaching(() => reader.heads(...args)),
    checkSessionCursor: (...args) => reaching(() => reader.checkSessionCursor(...args)),
    checkRunCursor: (...args) => reaching(() => reader.checkRunCursor(...args)),
    requestCancel: (sessionId, runId) =>
      reaching(async () => {
        await script("journalMark", [keys.run(sessionId, runId)], ["cancel", 1]);
      }),
    archive: (...args) => reaching(() => archive(...args)),
    trim: (...args) => reaching(() => trim(...args)),
    remove: (...args) => reaching(() => remove(...args)),
  };
};

const ARCHIVE_READ = 5_000;

const flatten = (entries: readonly NewEntry[]): string[] =>
  entries.flatMap(({ event, data }) => [event, data]);

const parseReply = (reply: unknown): AppendResult => {
  const [status, first, second, third] = reply as [string, number, number, number];
  switch (status) {
    case "OK":
    case "DUP":
      return {
        status: "ok",
        duplicate: status === "DUP",
        lastSeq: first,
        lastRunSeq: second,
        cancelRequested: third === 1,
      };
    case "STALE":
      return { status: "stale", generation: first };
    case "CLOSED":
      return { status: "closed" };
    case "GAP":
      return { status: "gap" };
    case "FULL":
      return { status: "full" };
    default:
      throw new Error(`unexpected reply of the append script: ${String(status)}`);
  }
};

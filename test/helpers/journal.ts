import type { Redis } from "ioredis";
import type {
  ArchivedRun,
  ArchiveStore,
  Entry,
  Journal,
  NewEntry,
  Writer,
} from "../../common/journal/port.ts";
import { createRedisJournal } from "../../common/journal/redis.ts";
import { connectRedis } from "../../common/redis/connect.ts";
import { createKeys, type Keys } from "../../common/redis/keys.ts";
import { freshPrefix, testRedisUrl } from "./redis.ts";

export interface JournalBench {
  readonly journal: Journal;
  readonly redis: Redis;
  readonly keys: Keys;
  readonly archive: ArchiveStore;
  readonly url: string;
  /** Deletes every key of this bench, as FLUSHALL would. */
  empty(): Promise<void>;
}

/** Gives a journal on a fresh prefix, and removes its keys afterwards. */
export const withJournal = async (
  work: (bench: JournalBench) => Promise<void>,
  options: { readonly url?: string; readonly maxRunBytes?: number; readonly now?: () => number } = {},
): Promise<void> => {
  const url = options.url ?? (await testRedisUrl());
  const redis = connectRedis(url, "command");
  const keys = createKeys(freshPrefix());
  const archive = createMemoryArchive();
  const journal = createRedisJournal({
    ...{ redis, keys, archive, maxRunBytes: options.maxRunBytes ?? 16 * 1024 * 1024 },
    ...(options.now === undefined ? {} : { now: options.now }),
  });
  const empty = async (): Promise<void> => {
    const all = await redis.keys(`${keys.prefix}:*`);
    if (all.length > 0) await redis.del(...all);
  };
  try {
    await work({ journal, redis, keys, archive, url, empty });
  } finally {
    // A server of the test's own may be gone already, and its keys go with it.
    if (options.url === undefined) await empty();
    redis.disconnect();
  }
};

/** The archive port in memory, for tests of the journal alone. */
export const createMemoryArchive = (): ArchiveStore => {
  const runs = new Map<string, ArchivedRun>();
  return {
    put: async (run) => {
      if (!runs.has(run.runId)) runs.set(run.runId, run);
    },
    get: async (runId) => runs.get(runId) ?? null,
    after: async (sessionId, after, limit) =>
      [...runs.values()]
        .filter((run) => run.sessionId === sessionId && run.lastSeq > after)
        .sort((a, b) => a.firstSeq - b.firstSeq)
        .slice(0, limit),
  };
};

export const token = (text: string): NewEntry => ({ event: "token", data: JSON.stringify({ text }) });

export const END: readonly NewEntry[] = [
  { event: "done", data: "{}" },
  { event: "stream_end", data: "{}" },
];

/** The whole log, page by page. */
export const readAll = async (journal: Journal, sessionId: string, page = 1_000): Promise<Entry[]> => {
  const all: Entry[] = [];
  for (;;) {
    const next = await journal.range(sessionId, all.at(-1)?.seq ?? 0, page);
    if (next.length === 0) return all;
    all.push(...next);
  }
};

/** A whole run in one go: claim, one batch of `texts`, end. */
export const playRun = async (journal: Journal, writer: Writer, texts: readonly string[]): Promise<void> => {
  await journal.claim(writer, 0);
  await journal.append(writer, 1, texts.map(token));
  await journal.append(writer, 2, END, true);
};

/** `first`, `first + 1`, … of `count` numbers. */
export const counted = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => first + index);

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { pino } from "pino";
import { createHub } from "../../api/sse/hub.ts";
import { type Hub, LOG_START } from "../../api/sse/port.ts";
import { openStateFiles, openTranscripts, type TranscriptRoom } from "../../common/backbone/transcripts.ts";
import { Closers } from "../../common/base/closers.ts";
import { publishHint } from "../../common/journal/hints.ts";
import type { Journal } from "../../common/journal/port.ts";
import { createRedisJournal } from "../../common/journal/redis.ts";
import { createLifecycle, type Lifecycle } from "../../common/lifecycle/create.ts";
import { profileTerms } from "../../common/profiles/resolve.ts";
import { loadSalt, saltFile } from "../../common/profiles/revision.ts";
import { publishCancel } from "../../common/queues/cancel-channel.ts";
import { createJobQueue, type JobQueue } from "../../common/queues/job-queue.ts";
import { publishWork } from "../../common/queues/work-channel.ts";
import { connectRedis } from "../../common/redis/connect.ts";
import { createKeys, type Keys } from "../../common/redis/keys.ts";
import { openTalariaDb, type TalariaDb } from "../../common/talaria-db/open.ts";
import { closeBeforeRedis, freshPrefix, testRedisUrl } from "./redis.ts";

/** What an api process is made of: the real stores, journal, lifecycle and hub, on a key prefix of their own. */
export interface House {
  /** A folder of its own, `state.db` and `talaria/talaria.db` in it. */
  readonly home: string;
  readonly db: TalariaDb;
  readonly redis: Redis;
  /** The hub's connection. */
  readonly blocking: Redis;
  readonly keys: Keys;
  readonly journal: Journal;
  readonly queue: JobQueue;
  readonly lifecycle: Lifecycle;
  readonly transcript: TranscriptRoom;
  readonly hub: Hub;
  /** Called at the end of the test file at the latest. Rejects when something did not close. */
  close(): Promise<void>;
}

export interface HouseOptions {
  /** A Redis of the test's own, to be killed; otherwise the one that tests share. */
  readonly redisUrl?: string;
  readonly maxRunBytes?: number;
  /** A home that the test made and keeps, for an app that starts over what is there; otherwise one of its own, removed at the end. */
  readonly home?: string;
}

const CLOSE_MS = 20_000;

/** Opens what `openBackbone` and api/main.ts open; a Redis of tests need not keep its data, so it is not asked about that. */
export const openHouse = async (options: HouseOptions = {}): Promise<House> => {
  const { redisUrl = await testRedisUrl(), maxRunBytes = 16 * 1024 * 1024 } = options;
  const log = pino({ level: "silent" });
  const closers = new Closers();
  const home = options.home ?? (await mkdtemp(join(tmpdir(), "talaria-house-")));
  if (options.home === undefined) closers.add("home", () => rm(home, { recursive: true, force: true }));
  const keys = createKeys(freshPrefix());
  const open = (role: Parameters<typeof connectRedis>[1]): Redis => {
    const connection = connectRedis(redisUrl, role);
    closers.add(`redis ${role}`, () => disconnect(connection));
    return connection;
  };
  const redis = open("command");
  const producer = open("queue-producer");
  const blocking = open("blocking");
  // A server of the test's own may be gone already, and its keys go with it.
  if (options.redisUrl === undefined) closers.add("keys", () => removeKeys(redis, `${keys.prefix}:*`));

  const db = await openTalariaDb(join(home, "talaria", "talaria.db"));
  closers.add("talaria.db", () => db.close());
  const files = await openStateFiles(home, db, closers);

  const journal = createRedisJournal({ redis, keys, archive: db.archive, maxRunBytes });
  const queue = createJobQueue(
    producer,
    keys.prefix,
    (name) => publishWork(redis, keys.work, name),
    (err) => log.warn({ err }, "job queues"),
  );
  closers.add("job queues", () => queue.close());
  const hint = (news: Parameters<typeof publishHint>[2]): void =>
    void publishHint(redis, keys, news).catch(() => {});
  const salt = await loadSalt(saltFile(join(home, "talaria")));
  const lifecycle = createLifecycle(
    {
      ...{ read: db.read, write: db.write, journal, queue, log },
      ...{ canonical: files.canonical, newestRow: files.newestRow, hint },
      wakeCancel: (runId) => publishCancel(redis, keys.control, runId),
    },
    "api-under-test",
    {
      cancelGraceMs: 10_000,
      wake: { termsOf: (profile) => profileTerms(home, profile, salt), maxAgeS: 6 * 3600 },
    },
  );
  closers.add("lifecycle", () => lifecycle.close());
  const transcript = await openTranscripts({
    ...{ home, stateDir: join(home, "talaria"), name: freshPrefix(), db, files, closers, log, hint },
    dispatcher: lifecycle.dispatcher,
  });
  db.onOutbox = (rows) => void lifecycle.dispatcher.handle(rows);

  const hub = createHub({ journal, redis, blocking, keys, id: freshPrefix(), log });
  closers.add("hub", () => hub.close());
  const close = async (): Promise<void> => {
    const failed = await closers.close(CLOSE_MS);
    if (failed.length > 0) throw new Error(`did not close: ${failed.join(", ")}`);
  };
  closeBeforeRedis(close);
  await hintsSettled({ hub, redis, keys });
  return { home, db, redis, blocking, keys, journal, queue, lifecycle, transcript, hub, close };
};

/** Resolves when every hint sent so far has been through the hub: who follows from now on gets none of them. */
export const hintsSettled = async (house: Pick<House, "hub" | "redis" | "keys">): Promise<void> => {
  const leave = new AbortController();
  const hints = house.hub.hints(leave.signal)[Symbol.asyncIterator]();
  for (;;) {
    const marker = freshPrefix();
    await publishHint(house.redis, house.keys, { session_id: marker });
    let seen = await hints.next();
    while (!seen.done && seen.value.session_id !== marker && seen.value.session_id !== undefined)
      seen = await hints.next();
    // A hint that names no session may have swallowed the marker: then another one is sent.
    if (seen.done || seen.value.session_id === marker) break;
  }
  leave.abort();
};

/** Resolves when the session's log has come to `seq`. */
export const logReaches = async (
  { hub }: Pick<House, "hub">,
  sessionId: string,
  seq: number,
): Promise<void> => {
  const leave = new AbortController();
  for await (const batch of hub.follow(sessionId, LOG_START, leave.signal))
    if ((batch.at(-1)?.seq ?? 0) >= seq) return;
};

/** Resolves when both connections that answers need are there again after an outage. */
export const reconnected = async ({ redis, blocking }: Pick<House, "redis" | "blocking">): Promise<void> => {
  for (const connection of [redis, blocking])
    if (connection.status !== "ready")
      await new Promise<void>((resolve) => connection.once("ready", () => resolve()));
};

/** Removes everything Redis has of the session's log. */
export const loseLog = ({ redis, keys }: Pick<House, "redis" | "keys">, sessionId: string): Promise<void> =>
  removeKeys(redis, logKeys(keys, sessionId));

/** Keeps the session's log as it is; the function returned brings it back, as a Redis does that lost what came after. */
export const keepLog = async (
  { redis, keys }: Pick<House, "redis" | "keys">,
  sessionId: string,
): Promise<() => Promise<void>> => {
  const names = await redis.keys(logKeys(keys, sessionId));
  const dumps = await Promise.all(names.map((name) => redis.dumpBuffer(name)));
  return async () => {
    const change = redis.multi().del(...(await redis.keys(logKeys(keys, sessionId))));
    for (const [index, name] of names.entries())
      change.restore(name, 0, dumps[index] ?? Buffer.alloc(0), "REPLACE");
    await change.exec();
  };
};

/** Does `work` between the next answer of the real journal and its caller; the function returned tells whether it came to that. */
export const behindNext = (
  journal: Journal,
  call: "head" | "runRange",
  work: () => Promise<void>,
): (() => boolean) => {
  const real = journal[call] as (...args: unknown[]) => Promise<unknown>;
  let happened = false;
  const between = async (...args: unknown[]) => {
    Object.assign(journal, { [call]: real });
    const answer = await real(...args);
    await work();
    happened = true;
    return answer;
  };
  Object.assign(journal, { [call]: between });
  return () => happened;
};

/** Resolves when the connection is closed: ioredis holds the process up for two seconds when it cannot see that any more. */
const disconnect = async (connection: Redis): Promise<void> => {
  if (connection.status === "end") return;
  const over = new Promise<void>((resolve) => connection.once("end", () => resolve()));
  connection.disconnect();
  // One that was waiting to connect again has nothing to close.
  if (connection.status === "ready") await over;
};

const logKeys = (keys: Keys, sessionId: string): string => keys.log(sessionId).replace(/log$/, "*");

const removeKeys = async (redis: Redis, pattern: string): Promise<void> => {
  const names = await redis.keys(pattern);
  if (names.length > 0) await redis.del(...names);
};

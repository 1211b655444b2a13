import { hostname } from "node:os";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { Closers } from "../base/closers.ts";
import { isTalariaError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import type { Config } from "../config/schema.ts";
import { packageVersion } from "../config/version.ts";
import { publishHint } from "../journal/hints.ts";
import type { Journal } from "../journal/port.ts";
import { createRedisJournal } from "../journal/redis.ts";
import { createLifecycle, type Lifecycle } from "../lifecycle/create.ts";
import type { LifecycleDeps } from "../lifecycle/deps.ts";
import type { Logger } from "../logging/logger.ts";
import { createFigures, type Figures } from "../metrics/figures.ts";
import { countJournal } from "../metrics/journal-figures.ts";
import { createStoreFigures } from "../metrics/store-figures.ts";
import { profileTerms } from "../profiles/resolve.ts";
import { loadSalt, type Salt, saltFile } from "../profiles/revision.ts";
import { publishCancel } from "../queues/cancel-channel.ts";
import { createJobQueue } from "../queues/job-queue.ts";
import { publishWork } from "../queues/work-channel.ts";
import { connectRedis } from "../redis/connect.ts";
import { createKeys, type Keys } from "../redis/keys.ts";
import { assertUsableRedis } from "../redis/requirements.ts";
import { openTalariaDb, type TalariaDb } from "../talaria-db/open.ts";
import { startTraces } from "../tracing/start.ts";
import type { Traces } from "../tracing/traces.ts";
import { openStateFiles, openTranscripts, type TranscriptRoom } from "./transcripts.ts";

/** What an api process and a worker have in common: stores, Redis, journal, queue and the lifecycle over them. */
export interface Backbone {
  /** Unique per process start; names it in rows, logs and wake keys. */
  readonly name: string;
  readonly config: Config;
  readonly log: Logger;
  readonly traces: Traces;
  /** What the process counts of itself. */
  readonly figures: Figures;
  readonly db: TalariaDb;
  readonly redis: Redis;
  readonly keys: Keys;
  readonly journal: Journal;
  readonly lifecycle: Lifecycle;
  readonly transcript: TranscriptRoom;
  readonly lifecycleDeps: LifecycleDeps;
  readonly closers: Closers;
  /** What configuration revisions and key origins are hashed with. */
  readonly salt: Salt;
}

/**
 * Opens everything in order and registers its closing. Rejects with `config_invalid` when Redis may evict or forget keys
 * (reliability, settings), with `store_unavailable` when talaria.db cannot be opened.
 */
export const openBackbone = async (
  config: Config,
  role: "api" | "worker",
  log: Logger,
): Promise<Backbone> => {
  const name = newId(
    `${role}-${hostname()
      .replace(/[^A-Za-z0-9-]/g, "")
      .slice(0, 24)}`,
  );
  const closers = new Closers();
  try {
    const { traces, close } = await startTraces(
      config.tracing,
      { role, name, version: packageVersion() },
      log,
    );
    closers.add("traces", close);
    const onError = (what: string) => (err: unknown) => log.warn({ err, what }, "redis connection");
    const connect = (what: string, kind: Parameters<typeof connectRedis>[1]): Redis => {
      const connection = connectRedis(config.redis.url, kind, { onError: onError(what) });
      closers.add(what, () => connection.disconnect());
      return connection;
    };
    const redis = connect("redis commands", "command");
    const producer = connect("redis queue", "queue-producer");
    await assertUsableRedis(redis).catch((error: unknown) => {
      if (isTalariaError(error, "config_invalid")) throw error;
      // Messages are accepted without Redis, so a process that starts during an outage is of use, too.
      log.warn({ err: error }, "Redis does not answer yet; going on without it");
      redis.once("ready", () => {
        assertUsableRedis(redis).catch((err: unknown) =>
          log.error({ err }, "this Redis may lose what it is given"),
        );
      });
    });

    const figures = createFigures();
    const observe = createStoreFigures(figures.registry);
    const db = await openTalariaDb(join(config.stateDir, "talaria.db"), observe);
    closers.add("talaria.db", () => db.close());
    const files = await openStateFiles(config.home, db, closers, observe);

    const keys = createKeys(config.redis.prefix);
    const redisJournal = createRedisJournal({
      redis,
      keys,
      archive: db.archive,
      maxRunBytes: config.runs.maxJournalBytes,
    });
    const journal = countJournal(redisJournal, figures.registry);
    const queue = createJobQueue(
      producer,
      config.redis.prefix,
      (name) => publishWork(redis, keys.work, name),
      onError("job queues"),
    );
    closers.add("job queues", () => queue.close());

    const lifecycleDeps: LifecycleDeps = {
      read: db.read,
      write: db.write,
      journal,
      queue,
      canonical: files.canonical,
      newestRow: files.newestRow,
      // A lost hint only delays a refresh.
      hint: (hint) => void publishHint(redis, keys, hint).catch(() => {}),
      wakeCancel: (runId) => publishCancel(redis, keys.control, runId),
      traces,
      log,
    };
    const salt = await loadSalt(saltFile(config.stateDir));
    const lifecycle = createLifecycle(lifecycleDeps, name, {
      cancelGraceMs: config.runs.cancelGraceMs,
      wake: {
        termsOf: (profile) => profileTerms(config.home, profile, salt),
        maxAgeS: config.runs.completionMaxAgeH * 3600,
      },
    });
    closers.add("lifecycle", () => lifecycle.close());
    const transcript = await openTranscripts({
      ...{ home: config.home, stateDir: config.stateDir, name, db, files, closers, log },
      dispatcher: lifecycle.dispatcher,
      hint: lifecycleDeps.hint,
    });
    db.onOutbox = (rows) => void lifecycle.dispatcher.handle(rows);
    return {
      name,
      config,
      log,
      traces,
      figures,
      db,
      redis,
      keys,
      journal,
      lifecycle,
      lifecycleDeps,
      transcript,
      closers,
      salt,
    };
  } catch (error) {
    await closers.close(2_000);
    throw error;
  }
};

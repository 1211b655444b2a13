import type { Redis } from "ioredis";
import type { Backbone } from "../common/backbone/open.ts";
import { within } from "../common/base/bounded-wait.ts";
import { TalariaError } from "../common/base/errors.ts";
import { createFiguresBoard } from "../common/metrics/board.ts";
import { subscribeCancels } from "../common/queues/cancel-channel.ts";
import { isJobKind, JOBS, type JobKind, profileOfQueue, queuePrefix } from "../common/queues/catalog.ts";
import { createDrainOrders } from "../common/queues/drain-orders.ts";
import { createWorkerRegistry } from "../common/queues/worker-registry.ts";
import { connectRedis } from "../common/redis/connect.ts";
import { createConsumer } from "./consume/consumer.ts";
import { startLoopWatch } from "./consume/loop-watch.ts";
import { obeyOrders } from "./consume/obey.ts";
import { registerWorker } from "./consume/register.ts";
import { serveQueues } from "./consume/serve.ts";
import { showFigures } from "./consume/show-figures.ts";
import { startWatchdog } from "./consume/watchdog.ts";
import { trackWork } from "./consume/work-figures.ts";
import { openWork } from "./open-work.ts";

export interface RunningWorker {
  /** Stops taking jobs, waits a bounded time and hands the rest back. */
  drain(): Promise<void>;
  /** Resolves when the process should end by itself, with its exit code: it was told to, or takes no jobs and cannot be healed. */
  readonly ends: Promise<{ readonly why: string; readonly code: number }>;
}

/** Starts consuming the queues it is to serve. */
export const startWorker = async (backbone: Backbone): Promise<RunningWorker> => {
  const { config, log, db, keys, redis, closers } = backbone;
  const connections: Redis[] = [];
  const connect = (what: string, role: "blocking" | "queue-worker") => {
    const connection = connectRedis(config.redis.url, role, {
      onError: (err) => log.warn({ err, what }, "redis connection"),
    });
    closers.add(what, () => connection.disconnect());
    connections.push(connection);
    return connection;
  };
  const workers = createWorkerRegistry(redis, keys.workers);
  const work = await openWork(backbone, workers);
  const { active, progress, environment } = work;
  const control = connect("control channel", "queue-worker");
  await subscribeCancels(control, keys.control, (runId) => active.stop(runId, "cancel"));

  const kinds = kindsOf(config.worker.queues);
  const profiles = config.worker.profiles === null ? null : [...config.worker.profiles];
  const tracked = trackWork(backbone.figures.registry, kinds, backbone.traces);
  const connection = connect("job queue", "queue-worker");
  const consumers = new Map(
    kinds.map((kind) => {
      const consumer = createConsumer({
        connection,
        prefix: queuePrefix(config.redis.prefix),
        concurrency: work.of[kind].concurrency,
        lockMs: config.worker.lockMs,
        stalledCheckMs: config.worker.stalledCheckMs,
        process: (job) =>
          tracked(kind, job.id ?? "", async () => {
            await work.of[kind].process(job.data, profileOfQueue(job.queueName), job.id ?? "");
            progress.mark();
          }),
        log,
      });
      closers.add(`consumer of ${kind}`, () => consumer.abandon());
      return [kind, consumer];
    }),
  );
  const served = await serveQueues({
    consumers,
    only: profiles,
    busy: async () => [...(await db.read.busyProfiles()), ...(await db.read.profilesToDeliver(SOON_S))],
    words: connect("work channel", "queue-worker"),
    channel: keys.work,
    log,
  });
  closers.add("served queues", () => served.close());
  const watchdog = startWatchdog({
    consumers,
    stallMs: config.worker.stallMs,
    answers: () =>
      redis.ping().then(
        () => true,
        () => false,
      ),
    restart: () => {
      for (const connection of connections) connection.disconnect(true);
      for (const consumer of consumers.values()) consumer.restart();
    },
    log,
  });
  closers.add("watchdog", () => watchdog.close());
  const loop = startLoopWatch(3 * config.worker.stallMs);
  closers.add("watch of the event loop", () => loop.close());
  const orders = obeyOrders({
    orders: createDrainOrders(redis, keys),
    worker: backbone.name,
    words: control,
    log,
  });
  closers.add("orders", () => orders.close());
  let draining = false;
  const registration = await registerWorker(
    workers,
    { name: backbone.name, queues: [...kinds], profiles, concurrency: config.worker.concurrency },
    () => ({
      running: consumers.get("runs")?.running ?? 0,
      draining,
      environment: environment.statistics(),
      last_progress_at: progress.at,
      stalled_since: watchdog.stalledSince,
      restarts: watchdog.restarts,
    }),
    log,
  );
  closers.add("registration", () => registration.close());
  if (kinds.includes("maintenance")) work.schedule();
  const board = createFiguresBoard(redis, keys.figures);
  const figures = await showFigures(board, backbone.name, backbone.figures, log);
  closers.add("figures", () => figures.close());

  return {
    ends: Promise.race([
      orders.ordered.then(() => ({ why: "it was told to drain", code: 0 })),
      watchdog.gaveUp.then((why) => ({ why, code: EXIT_STALLED })),
    ]),
    drain: async () => {
      draining = true;
      for (const consumer of consumers.values()) consumer.pause();
      registration.now();
      await watchdog.close();
      await within(active.idle(), config.worker.drainMs, undefined);
      await work.handBack();
      await Promise.all([...consumers.values()].map((consumer) => consumer.close()));
      await work.closeServers();
      log.info(environment.statistics(), "profile environments");
    },
  };
};

/** Exit code of a worker that takes no jobs and could not be healed: whoever supervises it starts another one. */
const EXIT_STALLED = 70;

/** A queue is served a moment before its next delivery is due, in seconds. */
const SOON_S = 5;

const kindsOf = (queues: readonly string[]): readonly JobKind[] => {
  const unknown = queues.filter((queue) => !isJobKind(queue));
  if (unknown.length > 0) {
    const known = Object.keys(JOBS).join(", ");
    throw new TalariaError(
      "config_invalid",
      `TALARIA_QUEUES (--queues): ${unknown.join(", ")}: expected some of ${known}`,
    );
  }
  return queues.filter(isJobKind);
};

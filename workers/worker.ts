import type { Redis } from "ioredis";
import type { Backbone } from "../common/backbone/open.ts";
import { within } from "../common/base/bounded-wait.ts";
import { TalariaError } from "../common/base/errors.ts";
import { createTokenCounter } from "../common/compression/tokens.ts";
import { createRedactor, failClosed } from "../common/logging/redact.ts";
import { createFiguresBoard } from "../common/metrics/board.ts";
import { resolveProfile } from "../common/profiles/resolve.ts";
import { loadSalt, saltFile } from "../common/profiles/revision.ts";
import { workspaceOf } from "../common/profiles/workspace.ts";
import { subscribeCancels } from "../common/queues/cancel-channel.ts";
import { isJobKind, JOBS, type JobKind, profileOfQueue, queuePrefix } from "../common/queues/catalog.ts";
import { createDrainOrders } from "../common/queues/drain-orders.ts";
import { createWorkerRegistry } from "../common/queues/worker-registry.ts";
import { connectRedis } from "../common/redis/connect.ts";
import { createJobs } from "./background.ts";
import { createSummariser } from "./compression/summarise.ts";
import { createConsumer } from "./consume/consumer.ts";
import { startLoopWatch } from "./consume/loop-watch.ts";
import { obeyOrders } from "./consume/obey.ts";
import { registerWorker } from "./consume/register.ts";
import { serveQueues } from "./consume/serve.ts";
import { showFigures } from "./consume/show-figures.ts";
import { startWatchdog } from "./consume/watchdog.ts";
import { trackWork } from "./consume/work-figures.ts";
import { openDeliver } from "./deliver/open.ts";
import { createBuiltinEngine } from "./engines/builtin/engine.ts";
import { createDemoEndpoint } from "./engines/demo/endpoint.ts";
import { buildChildEnv, buildServerEnv } from "./environment/child-env.ts";
import { installProfileEnv } from "./environment/profile-env.ts";
import { profileIdentity, profileVars, runIdentity, sessionIdentity } from "./environment/run-vars.ts";
import { createMcpPool } from "./mcp/pool.ts";
import { createProfileTools } from "./mcp/profile-tools.ts";
import { openMaintenance } from "./open-maintenance.ts";
import { createSupervisor } from "./processes/supervisor.ts";
import { createActiveRuns } from "./run/active-runs.ts";
import { createExecutor } from "./run/execute.ts";
import { createProgress } from "./run/progress.ts";
import { createRunFigures } from "./run/run-figures.ts";
import { createDefaultTools } from "./tools/default-tools.ts";

export interface RunningWorker {
  /** Stops taking jobs, waits a bounded time and hands the rest back. */
  drain(): Promise<void>;
  /** Resolves when the process should end by itself, with its exit code: it was told to, or takes no jobs and cannot be healed. */
  readonly ends: Promise<{ readonly why: string; readonly code: number }>;
}

/** Starts consuming the queues it is to serve. */
export const startWorker = async (backbone: Backbone): Promise<RunningWorker> => {
  const { config, log, db, lifecycle, lifecycleDeps, keys, redis, closers } = backbone;
  const connections: Redis[] = [];
  const connect = (what: string, role: "blocking" | "queue-worker") => {
    const connection = connectRedis(config.redis.url, role, {
      onError: (err) => log.warn({ err, what }, "redis connection"),
    });
    closers.add(what, () => connection.disconnect());
    connections.push(connection);
    return connection;
  };
  const demo = createDemoEndpoint();
  closers.add("demo model", () => demo.close());
  const builtin = createBuiltinEngine({
    tools: createDefaultTools({ deniedDirs: [config.home, config.stateDir] }),
    demo,
  });

  const compression = { counter: createTokenCounter(), summarise: createSummariser({ demo }) };
  const active = createActiveRuns((ids) => db.read.stopRequested(ids), log);
  closers.add("stop watch", () => active.close());
  const control = connect("control channel", "queue-worker");
  await subscribeCancels(control, keys.control, (runId) => active.stop(runId, "cancel"));

  const salt = await loadSalt(saltFile(config.stateDir));
  // Stays to the end of the process: what a run leaves behind must never see the server's variables.
  const environment = installProfileEnv();
  const servers = createMcpPool();
  const progress = createProgress();
  closers.add("tool servers", () => servers.close());
  const processes = createSupervisor({
    ...{ read: db.read, write: db.write, dispatcher: lifecycle.dispatcher, workerName: backbone.name, log },
  });
  closers.add("background processes", () => processes.close());
  const execute = createExecutor({
    lifecycle: { ...lifecycleDeps, journal: progress.over(lifecycleDeps.journal) },
    settler: lifecycle.settler,
    dispatcher: lifecycle.dispatcher,
    active,
    engineFor: () => builtin,
    resolveProfile: (name) => resolveProfile(config.home, name, salt),
    prepareWorkspace: (profile, chosen) => workspaceOf(config.home, profile.home, chosen),
    childEnv: (profile, run) =>
      buildChildEnv(environment.base, profileVars(profile), runIdentity(profile, run)),
    processesOf: (profile, run, place) =>
      processes.forRun({
        ...{ ...place, sessionId: run.session_id, runId: run.id, profile: profile.name },
        redactor: failClosed(createRedactor(profile.secrets)),
      }),
    withProfileEnv: (profile, run, work) =>
      environment.withProfileEnv({ ...profileVars(profile), ...runIdentity(profile, run) }, work),
    openTools: createProfileTools({
      pool: servers,
      templateVars: (profile) => buildChildEnv(environment.base, profileVars(profile)),
      serverEnv: (profile, entryVars) =>
        buildServerEnv(environment.base, entryVars, profileIdentity(profile)),
    }),
    context: backbone.transcript.context,
    workerName: backbone.name,
    maxAttempts: config.runs.maxAttempts,
    maxSteps: config.runs.maxSteps,
    compression,
    flushMs: config.journal.flushMs,
    figures: createRunFigures(backbone.figures.registry),
  });

  const kinds = kindsOf(config.worker.queues);
  const profiles = config.worker.profiles === null ? null : [...config.worker.profiles];
  const handBack = new AbortController();
  const jobs = createJobs(backbone, {
    ...{ demo, compression },
    resolveProfile: (name) => resolveProfile(config.home, name, salt),
    withProfileEnv: (profile, sessionId, work) =>
      environment.withProfileEnv(
        {
          ...profileVars(profile),
          ...(sessionId === null ? profileIdentity(profile) : sessionIdentity(profile, sessionId)),
        },
        work,
      ),
    handBack: handBack.signal,
  });
  const deliver = await openDeliver(config, {
    ...{ write: lifecycleDeps.write, workerName: backbone.name, handBack: handBack.signal, log },
  });
  const workers = createWorkerRegistry(redis, keys.workers);
  const maintenance = openMaintenance(backbone, workers, handBack.signal);
  const work: Readonly<Record<JobKind, { readonly concurrency: number; readonly process: Process }>> = {
    runs: {
      concurrency: config.worker.concurrency,
      process: (data, profile, id) => execute(JOBS.runs.parse(data).runId, id, profile),
    },
    titles: {
      concurrency: config.worker.jobConcurrency,
      process: (data, profile) => jobs.doJob(JOBS.titles.parse(data).jobId, profile),
    },
    summaries: {
      concurrency: config.worker.jobConcurrency,
      process: (data, profile) => {
        const work = JOBS.summaries.parse(data);
        return "jobId" in work ? jobs.doJob(work.jobId, profile) : jobs.tellUpdate(work.summaryId, profile);
      },
    },
    deliveries: {
      concurrency: config.deliveries.concurrency,
      process: (data, profile) => deliver(JOBS.deliveries.parse(data).deliveryId, profile),
    },
    compression: {
      concurrency: config.worker.jobConcurrency,
      process: (data, profile) => jobs.doJob(JOBS.compression.parse(data).jobId, profile),
    },
    maintenance,
  };
  const tracked = trackWork(backbone.figures.registry, kinds, backbone.traces);
  const connection = connect("job queue", "queue-worker");
  const consumers = new Map(
    kinds.map((kind) => {
      const consumer = createConsumer({
        connection,
        prefix: queuePrefix(config.redis.prefix),
        concurrency: work[kind].concurrency,
        lockMs: config.worker.lockMs,
        stalledCheckMs: config.worker.stalledCheckMs,
        process: (job) =>
          tracked(kind, job.id ?? "", async () => {
            await work[kind].process(job.data, profileOfQueue(job.queueName), job.id ?? "");
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
  if (kinds.includes("maintenance")) maintenance.schedule();
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
      active.stopAll("hand_back");
      handBack.abort(new Error("the worker stops"));
      await active.idle();
      // They cannot be handed over: their ends say so, and wake their sessions elsewhere.
      await processes.close();
      await Promise.all([...consumers.values()].map((consumer) => consumer.close()));
      await servers.close();
      log.info(environment.statistics(), "profile environments");
    },
  };
};

type Process = (data: unknown, profile: string, id: string) => Promise<void>;

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

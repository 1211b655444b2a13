import { Worker } from "bullmq";
import type { Backbone } from "../common/backbone/open.ts";
import { messageOf, TalariaError } from "../common/base/errors.ts";
import { resolveProfile } from "../common/profiles/resolve.ts";
import { loadSalt, saltFile } from "../common/profiles/revision.ts";
import { workspaceOf } from "../common/profiles/workspace.ts";
import { subscribeCancels } from "../common/queues/cancel-channel.ts";
import { isQueueName, JOBS, queuePrefix } from "../common/queues/catalog.ts";
import { connectRedis } from "../common/redis/connect.ts";
import { createBuiltinEngine } from "./engines/builtin/engine.ts";
import { createDemoEndpoint } from "./engines/demo/endpoint.ts";
import { buildChildEnv, buildServerEnv } from "./environment/child-env.ts";
import { installProfileEnv } from "./environment/profile-env.ts";
import { profileIdentity, profileVars, runIdentity } from "./environment/run-vars.ts";
import { createMcpPool } from "./mcp/pool.ts";
import { createProfileTools } from "./mcp/profile-tools.ts";
import { createActiveRuns } from "./run/active-runs.ts";
import { createExecutor } from "./run/execute.ts";
import { createDefaultTools } from "./tools/default-tools.ts";

/** More deliveries than any run takes: attempts are counted in the database, not by the queue (reliability 12). */
const NEVER_TOO_OFTEN = 1_000_000;

/** Starts consuming the `runs` queue. `drain` stops taking jobs, waits a bounded time and hands the rest back. */
export const startWorker = async (backbone: Backbone): Promise<{ drain(): Promise<void> }> => {
  const { config, log, db, lifecycle, lifecycleDeps, keys, closers } = backbone;
  const connect = (what: string, role: "blocking" | "queue-worker") => {
    const connection = connectRedis(config.redis.url, role, {
      onError: (err) => log.warn({ err, what }, "redis connection"),
    });
    closers.add(what, () => connection.disconnect());
    return connection;
  };
  const demo = createDemoEndpoint();
  closers.add("demo model", () => demo.close());
  const builtin = createBuiltinEngine({
    tools: createDefaultTools({ deniedDirs: [config.home, config.stateDir] }),
    demo,
  });

  const active = createActiveRuns((ids) => db.read.stopRequested(ids), log);
  closers.add("stop watch", () => active.close());
  await subscribeCancels(connect("cancel channel", "queue-worker"), keys.control, (runId) =>
    active.stop(runId, "cancel"),
  );

  const salt = await loadSalt(saltFile(config.stateDir));
  // Stays to the end of the process: what a run leaves behind must never see the server's variables.
  const environment = installProfileEnv();
  const servers = createMcpPool();
  closers.add("tool servers", () => servers.close());
  const execute = createExecutor({
    lifecycle: lifecycleDeps,
    settler: lifecycle.settler,
    dispatcher: lifecycle.dispatcher,
    active,
    engineFor: () => builtin,
    resolveProfile: (name) => resolveProfile(config.home, name, salt),
    prepareWorkspace: (profile, chosen) => workspaceOf(config.home, profile.home, chosen),
    childEnv: (profile, run) =>
      buildChildEnv(environment.base, profileVars(profile), runIdentity(profile, run)),
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
    flushMs: config.journal.flushMs,
  });

  const unknown = config.worker.queues.filter((queue) => !isQueueName(queue));
  if (unknown.length > 0) {
    const known = Object.keys(JOBS).join(", ");
    throw new TalariaError(
      "config_invalid",
      `TALARIA_QUEUES (--queues): ${unknown.join(", ")}: expected some of ${known}`,
    );
  }
  const connection = connect("job queue", "queue-worker");
  const consumers = lanesOf(config.worker.concurrency).map((concurrency) => {
    const consumer = new Worker(
      "runs",
      async (job, token = "") => {
        const { runId } = JOBS.runs.parse(job.data);
        const renewal = setInterval(() => {
          // A lock that is lost is not an error here: the fence decides who writes.
          job.extendLock(token, config.worker.lockMs).catch(() => {});
        }, config.worker.lockMs / 4);
        try {
          await execute(runId, job.id ?? "");
        } finally {
          clearInterval(renewal);
        }
      },
      {
        connection,
        prefix: queuePrefix(config.redis.prefix),
        concurrency,
        lockDuration: config.worker.lockMs,
        // BullMQ counts its locks by job: an attempt that lost its job would stop the renewal of the one that has it now.
        skipLockRenewal: true,
        stalledInterval: config.worker.stalledCheckMs,
        maxStalledCount: NEVER_TOO_OFTEN,
        removeOnComplete: { count: 0 },
        removeOnFail: { count: 0 },
      },
    );
    consumer.on("error", (err) => log.warn({ err, what: "job queue" }, "redis connection"));
    consumer.on("failed", (job, err) =>
      log.warn({ job: job?.id, reason: messageOf(err) }, "a job failed; it is tried again"),
    );
    closers.add("consumer", () => consumer.close(true));
    return consumer;
  });
  await Promise.all(consumers.map((consumer) => consumer.waitUntilReady()));

  return {
    drain: async () => {
      await Promise.all(consumers.map((consumer) => consumer.pause(true)));
      let timer: ReturnType<typeof setTimeout> | undefined;
      const enough = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, config.worker.drainMs);
      });
      await Promise.race([active.idle(), enough]);
      clearTimeout(timer);
      active.stopAll("hand_back");
      await active.idle();
      await Promise.all(consumers.map((consumer) => consumer.close()));
      await servers.close();
      log.info(environment.statistics(), "profile environments");
    },
  };
};

/** Jobs that one consumer fetches in a row before it starts the first of them. */
const LANE = 20;

/**
 * BullMQ fetches until the queue is empty or the concurrency is full, and renews a job's lock only once it has been started. On
 * a busy event loop a long row of fetches outlasts the lock, and runs are taken over that nobody lost. Short rows do not.
 */
const lanesOf = (concurrency: number): number[] => {
  const lanes = Math.ceil(concurrency / LANE);
  return Array.from({ length: lanes }, (_, i) => Math.floor((concurrency + i) / lanes));
};

import type { Backbone } from "../common/backbone/open.ts";
import { TalariaError } from "../common/base/errors.ts";
import { listProfiles } from "../common/profiles/names.ts";
import { resolveProfile } from "../common/profiles/resolve.ts";
import { loadSalt, saltFile } from "../common/profiles/revision.ts";
import { workspaceOf } from "../common/profiles/workspace.ts";
import { subscribeCancels } from "../common/queues/cancel-channel.ts";
import { isJobKind, JOBS, type JobKind, queuePrefix } from "../common/queues/catalog.ts";
import { createWorkerRegistry } from "../common/queues/worker-registry.ts";
import { connectRedis } from "../common/redis/connect.ts";
import { createConsumer } from "./consume/consumer.ts";
import { registerWorker } from "./consume/register.ts";
import { serveQueues } from "./consume/serve.ts";
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

/** Starts consuming the queues it is to serve. `drain` stops taking jobs, waits a bounded time and hands the rest back. */
export const startWorker = async (backbone: Backbone): Promise<{ drain(): Promise<void> }> => {
  const { config, log, db, lifecycle, lifecycleDeps, keys, redis, closers } = backbone;
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

  const kinds = kindsOf(config.worker.queues);
  const profiles = config.worker.profiles === null ? null : [...config.worker.profiles];
  const consumer = createConsumer({
    connection: connect("job queue", "queue-worker"),
    prefix: queuePrefix(config.redis.prefix),
    concurrency: config.worker.concurrency,
    lockMs: config.worker.lockMs,
    stalledCheckMs: config.worker.stalledCheckMs,
    process: async (_queue, job) => execute(JOBS.runs.parse(job.data).runId, job.id ?? ""),
    log,
  });
  closers.add("consumer", () => consumer.abandon());
  const served = await serveQueues({
    consumer,
    kinds,
    only: profiles,
    profiles: () => listProfiles(config.home),
    words: connect("work channel", "queue-worker"),
    channel: keys.work,
    log,
  });
  closers.add("served queues", () => served.close());
  let draining = false;
  const registration = await registerWorker(
    createWorkerRegistry(redis, keys.workers),
    { name: backbone.name, queues: [...kinds], profiles, concurrency: config.worker.concurrency },
    () => ({ running: consumer.running, draining, environment: environment.statistics() }),
    log,
  );
  closers.add("registration", () => registration.close());

  return {
    drain: async () => {
      draining = true;
      consumer.pause();
      let timer: ReturnType<typeof setTimeout> | undefined;
      const enough = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, config.worker.drainMs);
      });
      await Promise.race([active.idle(), enough]);
      clearTimeout(timer);
      active.stopAll("hand_back");
      await active.idle();
      await consumer.close();
      await servers.close();
      log.info(environment.statistics(), "profile environments");
    },
  };
};

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

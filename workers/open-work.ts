import type { Backbone } from "../common/backbone/open.ts";
import { createTokenCounter } from "../common/compression/tokens.ts";
import { createRedactor, failClosed } from "../common/logging/redact.ts";
import { resolveProfile } from "../common/profiles/resolve.ts";
import { workspaceOf } from "../common/profiles/workspace.ts";
import { JOBS, type JobKind } from "../common/queues/catalog.ts";
import type { WorkerRegistry } from "../common/queues/worker-registry.ts";
import { createJobs } from "./background.ts";
import { createSummariser } from "./compression/summarise.ts";
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
import { type ActiveRuns, createActiveRuns } from "./run/active-runs.ts";
import { createExecutor } from "./run/execute.ts";
import { createProgress, type Progress } from "./run/progress.ts";
import { createRunFigures } from "./run/run-figures.ts";
import { createDefaultTools } from "./tools/default-tools.ts";

/** Does one job of a queue: its data, the profile whose queue it was in, its id. Rejects for infrastructure failures only. */
export type Process = (data: unknown, profile: string, id: string) => Promise<void>;

/** What a worker can do, whichever queues it is to serve, and what holds for all of it. */
export interface Work {
  readonly of: Readonly<Record<JobKind, { readonly concurrency: number; readonly process: Process }>>;
  readonly active: ActiveRuns;
  readonly progress: Progress;
  /** How the lock of the profiles' variables was held. */
  readonly environment: Pick<ReturnType<typeof installProfileEnv>, "statistics">;
  /** Makes the schedules of maintenance and keeps them there. */
  schedule(): void;
  /** Hands back what is not done: runs to the queue, background work and ticks to whoever comes next. */
  handBack(): Promise<void>;
  /** Ends what its runs left running: tool servers. */
  closeServers(): Promise<void>;
}

/** Opens it over what the process has; what it opens is closed with the process. */
export const openWork = async (backbone: Backbone, workers: WorkerRegistry): Promise<Work> => {
  const { config, log, db, lifecycle, lifecycleDeps, closers, salt } = backbone;
  const demo = createDemoEndpoint();
  closers.add("demo model", () => demo.close());
  const builtin = createBuiltinEngine({
    tools: createDefaultTools({ deniedDirs: [config.home, config.stateDir] }),
    demo,
  });

  const compression = { counter: createTokenCounter(), summarise: createSummariser({ demo }) };
  const active = createActiveRuns((ids) => db.read.stopRequested(ids), log);
  closers.add("stop watch", () => active.close());

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
  const maintenance = openMaintenance(backbone, workers, handBack.signal);
  const of: Work["of"] = {
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

  return {
    of,
    active,
    progress,
    environment,
    schedule: () => maintenance.schedule(),
    handBack: async () => {
      active.stopAll("hand_back");
      handBack.abort(new Error("the worker stops"));
      await active.idle();
      // They cannot be handed over: their ends say so, and wake their sessions elsewhere.
      await processes.close();
    },
    closeServers: () => servers.close(),
  };
};

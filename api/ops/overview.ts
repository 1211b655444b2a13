import type { Backlog } from "../../common/contracts/backlog.ts";
import type { Ops, OpsJournals, OpsRedis, OpsWorker, RunCount } from "../../common/contracts/ops.ts";
import type { WorkerInfo } from "../../common/queues/worker-registry.ts";
import { kept } from "./kept.ts";

export interface OverviewDeps {
  readonly version: string;
  readonly live: () => Promise<readonly WorkerInfo[]>;
  readonly backlog: () => Promise<readonly Backlog[]>;
  readonly runCounts: () => Promise<readonly RunCount[]>;
  readonly jobCounts: () => Promise<Ops["jobs"]>;
  readonly redisFigures: () => Promise<OpsRedis>;
  readonly maintenance: () => Promise<Ops["maintenance"]>;
  readonly journalFigures: () => Promise<OpsJournals>;
  readonly deadLetters: () => Promise<number>;
  /** Where the queues are shown; null: nowhere. */
  readonly dashboard: string | null;
}

/**
 * The state of a deployment in one answer. What only Redis knows is null while it is away: that is when somebody looks. Rejects where the
 * database does not answer.
 */
export const createOverview = (deps: OverviewDeps): (() => Promise<Ops>) => kept(() => look(deps));

const look = async (deps: OverviewDeps): Promise<Ops> => {
  const [workers, backlog, redis, journals, runs, jobs, maintenance, dead] = await Promise.all([
    orNull(deps.live()),
    orNull(deps.backlog()),
    orNull(deps.redisFigures()),
    orNull(deps.journalFigures()),
    deps.runCounts(),
    deps.jobCounts(),
    deps.maintenance(),
    deps.deadLetters(),
  ]);
  const now = Date.now() / 1000;
  return {
    at: now,
    version: deps.version,
    workers: workers?.map(workerOf) ?? null,
    backlog: backlog === null ? null : [...backlog],
    runs: runs.map(({ status, n, oldest }) => ({
      status,
      runs: n,
      oldest_age_s: Math.max(0, now - oldest),
    })),
    jobs,
    dead_letters: dead,
    redis,
    maintenance,
    journals,
    dashboard: deps.dashboard,
  };
};

const orNull = <T>(asked: Promise<T>): Promise<T | null> => asked.catch(() => null);

/** What of a worker is told; not where it runs. */
export const workerOf = (worker: WorkerInfo): OpsWorker => ({
  name: worker.name,
  version: worker.version,
  queues: worker.queues,
  profiles: worker.profiles,
  running: worker.running,
  concurrency: worker.concurrency,
  draining: worker.draining,
  last_progress_at: worker.last_progress_at,
  stalled_since: worker.stalled_since,
  restarts: worker.restarts,
  started_at: worker.started_at,
  seen_at: worker.seen_at,
});

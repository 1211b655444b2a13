import type { Redis } from "ioredis";
import { isTalariaError } from "../common/base/errors.ts";
import type { RunControl } from "../common/lifecycle/port.ts";
import { createDrainOrders } from "../common/queues/drain-orders.ts";
import type { Keys } from "../common/redis/keys.ts";
import type { TalariaDb } from "../common/talaria-db/open.ts";
import { DASHBOARD_PATH } from "./ops/dashboard-path.ts";
import { journalFigures } from "./ops/journal-figures.ts";
import { createOverview, type OverviewDeps, workerOf } from "./ops/overview.ts";
import { redisFigures } from "./ops/redis-figures.ts";
import type { OpsRoutesDeps } from "./routes/ops.ts";
import type { OpsActionDeps } from "./routes/ops-actions.ts";

export interface OpsSources extends Pick<OverviewDeps, "version" | "live" | "backlog" | "maintenance"> {
  readonly db: Pick<TalariaDb, "read" | "write">;
  readonly redis: Redis;
  readonly keys: Keys;
  readonly control: Pick<RunControl, "tell">;
  readonly hasDashboard: boolean;
  /** How long a journal stays in Redis, in milliseconds. */
  readonly retentionMs: number;
}

/** Journals whose size is asked for. */
const SAMPLE = 100;

/** What the operator's routes ask of talaria.db, of Redis and of the workers. */
export const opsCalls = (sources: OpsSources): OpsRoutesDeps & OpsActionDeps => {
  const { db, redis, keys, control, hasDashboard, retentionMs, ...known } = sources;
  const { read, write } = db;
  const orders = createDrainOrders(redis, keys);
  return {
    overview: createOverview({
      ...known,
      runCounts: () => read.runCounts(),
      jobCounts: () => read.jobCounts(),
      deadLetters: () => read.deadRunCount(),
      redisFigures: () => redisFigures(redis),
      journalFigures: async () => {
        const since = (Date.now() - retentionMs) / 1000;
        return journalFigures(redis, keys.log, await read.journalSample(since, SAMPLE));
      },
      dashboard: hasDashboard ? DASHBOARD_PATH : null,
    }),
    openRuns: (query) => read.openRuns(query),
    failedJobs: (query) => read.failedJobs(query),
    deadLetters: (query) => read.deadRuns(query),
    drain: async (name) => {
      const worker = (await known.live()).find((one) => one.name === name);
      if (worker === undefined) return null;
      await orders.give(name);
      return { ...workerOf(worker), draining: true };
    },
    retryFailed: async (kind, limit) => {
      const ids = await read.failedJobIds(kind, limit);
      const asked = await Promise.all(
        ids.map((id) =>
          write.retryJob(id).catch((error: unknown) => {
            // Somebody else was quicker, and it has ended since.
            if (isTalariaError(error, "conflict")) return null;
            throw error;
          }),
        ),
      );
      const made = asked.filter((one) => one !== null);
      await control.tell(made.flatMap(({ outbox }) => outbox));
      return { retried: made.length, left: await read.failedJobCount(kind) };
    },
  };
};

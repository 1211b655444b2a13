import type { Redis } from "ioredis";
import type { TalariaDb } from "../common/talaria-db/open.ts";
import { createOverview, type OverviewDeps } from "./ops/overview.ts";
import { redisFigures } from "./ops/redis-figures.ts";
import type { OpsRoutesDeps } from "./routes/ops.ts";

export interface OpsSources extends Pick<OverviewDeps, "version" | "live" | "backlog" | "maintenance"> {
  readonly db: Pick<TalariaDb, "read">;
  readonly redis: Redis;
}

/** What the operator's routes ask of talaria.db, of Redis and of the workers. */
export const opsCalls = ({ db: { read }, redis, maintenance, ...known }: OpsSources): OpsRoutesDeps => ({
  overview: createOverview({
    ...known,
    runCounts: () => read.runCounts(),
    jobCounts: () => read.jobCounts(),
    redisFigures: () => redisFigures(redis),
    maintenance,
  }),
  openRuns: (query) => read.openRuns(query),
  failedJobs: (query) => read.failedJobs(query),
});

import type { Redis } from "ioredis";
import type { Backbone } from "../common/backbone/open.ts";
import type { Backlog } from "../common/contracts/backlog.ts";
import type { HealthCheck } from "./ops/health.ts";

/** What `/readyz` really touches: both Redis connections, SQLite, and whether everything that waits is served by a worker. */
export const healthChecks = (
  { redis, db }: Pick<Backbone, "redis" | "db">,
  blocking: Redis,
  backlog: () => Promise<readonly Backlog[]>,
): Readonly<Record<string, HealthCheck>> => ({
  redis: async () => ((await redis.ping()) === "PONG" ? null : "Redis does not answer"),
  redis_blocking: async () =>
    blocking.status === "ready" ? null : `the reading connection is ${blocking.status}`,
  database: async () => {
    await db.read.runCounts();
    return null;
  },
  workers: async () => {
    const alarms = (await backlog()).filter(({ alarm }) => alarm).map(({ message }) => message);
    return alarms.length === 0 ? null : alarms.join(" ");
  },
});

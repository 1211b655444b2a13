import type { Redis } from "ioredis";
import type { Backbone } from "../common/backbone/open.ts";
import type { HealthCheck } from "./ops/health.ts";

/** A queued run this old means that no worker takes work, in seconds. */
const STUCK_AFTER_S = 30;

/** What `/readyz` really touches: both Redis connections, SQLite, and how long the oldest run has waited. */
export const healthChecks = (
  { redis, db }: Pick<Backbone, "redis" | "db">,
  blocking: Redis,
): Readonly<Record<string, HealthCheck>> => ({
  redis: async () => ((await redis.ping()) === "PONG" ? null : "Redis does not answer"),
  redis_blocking: async () =>
    blocking.status === "ready" ? null : `the reading connection is ${blocking.status}`,
  database: async () => {
    await db.read.runCounts();
    return null;
  },
  workers: async () => {
    const counts = await db.read.runCounts();
    const queued = counts.find((row) => row.status === "queued");
    const waitedS = queued === undefined ? 0 : Date.now() / 1000 - queued.oldest;
    const running = counts.some((row) => row.status === "running");
    return waitedS > STUCK_AFTER_S && !running
      ? `no worker takes work: a run has waited ${Math.round(waitedS)} s`
      : null;
  },
});

import type { Redis } from "ioredis";

/**
 * Wakes the worker that holds a run which someone stopped. The message is a hint: the stop stands in the database, where
 * workers look for it by themselves, so a lost one only delays it.
 */
export const publishCancel = (redis: Redis, channel: string, runId: string): void => {
  redis.publish(channel, runId).catch(() => {
    // Redis is away: the worker's own look into the database finds the stop.
  });
};

/** Calls `onCancel` with the run's id for every hint; `connection` is used for nothing else. */
export const subscribeCancels = async (
  connection: Redis,
  channel: string,
  onCancel: (runId: string) => void,
): Promise<void> => {
  connection.on("message", (_channel: string, runId: string) => onCancel(runId));
  await connection.subscribe(channel);
};

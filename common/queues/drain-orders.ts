import type { Redis } from "ioredis";
import type { Keys } from "../redis/keys.ts";

/**
 * Orders to single workers to drain: take no more jobs, hand back what they have, end. An order stands in Redis until its worker has
 * obeyed it, so that nothing is lost with the word on the channel, which only makes it quicker.
 */
export interface DrainOrders {
  /** Repeating it is harmless. Rejects when Redis is away: then nothing was ordered. */
  give(worker: string): Promise<void>;
  has(worker: string): Promise<boolean>;
  /** The worker obeyed. */
  done(worker: string): Promise<void>;
}

/** A worker has its name for one start only: an order to one that is gone means nothing, and is forgotten after this, in seconds. */
const KEEP_S = 3_600;

export const createDrainOrders = (redis: Redis, keys: Pick<Keys, "drain" | "control">): DrainOrders => ({
  give: async (worker) => {
    await redis.set(keys.drain(worker), "1", "EX", KEEP_S);
    redis.publish(keys.control, drainWord(worker)).catch(() => {
      // A hint: the worker looks for the order itself.
    });
  },
  has: async (worker) => (await redis.exists(keys.drain(worker))) === 1,
  done: async (worker) => {
    await redis.del(keys.drain(worker));
  },
});

/** What is said on the control channel, beside the ids of stopped runs, which have no blank in them. */
export const drainWord = (worker: string): string => `drain ${worker}`;

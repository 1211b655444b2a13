import type { Redis } from "ioredis";

/** Says that a queue got a job. A hint: workers look by themselves, too, so a lost one only delays the job. */
export const publishWork = (redis: Redis, channel: string, queue: string): void => {
  redis.publish(channel, queue).catch(() => {
    // Redis is away: so is the queue.
  });
};

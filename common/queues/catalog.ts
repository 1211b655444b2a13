import { z } from "zod";
import { IdSchema } from "../contracts/ids.ts";

/** Every queue and what its jobs carry: ids, nothing else, so that a job can neither leak nor invent work (reliability, rule 2). */
export const JOBS = {
  runs: z.strictObject({ runId: IdSchema }),
} as const;
export type QueueName = keyof typeof JOBS;
export type JobData<N extends QueueName> = z.infer<(typeof JOBS)[N]>;

export const isQueueName = (name: string): name is QueueName => Object.hasOwn(JOBS, name);

/** BullMQ's key prefix of a deployment. */
export const queuePrefix = (prefix: string): string => `${prefix}:queue`;

/**
 * Id of the job that executes the run's next attempt: enqueuing twice is one job, and an id that BullMQ still keeps among
 * the finished ones never blocks a retry (DESIGN 6.1).
 */
export const runJobId = (runId: string, nextAttempt: number): string => `run-${runId}-${nextAttempt}`;

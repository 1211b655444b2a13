import { z } from "zod";
import { BacklogSchema } from "./backlog.ts";
import { listOf, page } from "./http.ts";
import { IdSchema, ProfileNameSchema } from "./ids.ts";
import { JobSchema } from "./job.ts";
import { OpsMaintenanceSchema } from "./maintenance.ts";
import { RunStatusSchema } from "./run.ts";

/** What whoever operates a deployment looks at. It holds names, ids, numbers and times: nothing that was said, no key, no path. */

const count = z.number().int().nonnegative();

export const OpsWorkerSchema = z
  .strictObject({
    name: z.string(),
    version: z.string(),
    queues: z.array(z.string()).describe("kinds of jobs it does"),
    profiles: z.array(z.string()).nullable().describe("null: every profile"),
    running: count,
    concurrency: count,
    draining: z.boolean().describe("it takes no more jobs"),
    started_at: z.number(),
    seen_at: z.number().describe("its last word; it is taken for dead ten seconds later"),
  })
  .meta({ id: "OpsWorker" });
export type OpsWorker = z.infer<typeof OpsWorkerSchema>;

/** Only what Redis knows without counting. How many keys the journals have would be a walk over all of them, so nobody asks. */
export const OpsRedisSchema = z
  .strictObject({
    used_memory_bytes: count.describe("everything in it; journals are by far the most"),
    peak_memory_bytes: count,
    max_memory_bytes: count.nullable().describe("null: no limit"),
    append_only_file_bytes: count.nullable().describe("null: it keeps no such file, or does not say"),
    keys: count.describe("of its whole database, other deployments in it included"),
  })
  .meta({ id: "OpsRedis" });
export type OpsRedis = z.infer<typeof OpsRedisSchema>;

const OpenRunStatus = RunStatusSchema.extract(["queued", "running", "waiting", "cancelling"]);
/** Unfinished runs of one status, as the database counts them. */
export interface RunCount {
  readonly status: z.infer<typeof OpenRunStatus>;
  readonly n: number;
  /** When the oldest was accepted, epoch seconds. */
  readonly oldest: number;
}

export const OpsSchema = z
  .strictObject({
    at: z.number().describe("when this was put together, epoch seconds"),
    version: z.string().describe("of the api that answers"),
    workers: z.array(OpsWorkerSchema).nullable().describe("those alive; null: Redis cannot be reached"),
    backlog: z
      .array(BacklogSchema)
      .nullable()
      .describe("as in `/api/backlog`; null: Redis cannot be reached"),
    runs: z
      .array(z.strictObject({ status: OpenRunStatus, runs: count, oldest_age_s: z.number().nonnegative() }))
      .describe("unfinished ones by status; a status without runs is left out"),
    jobs: z
      .strictObject({ queued: count, running: count, failed: count })
      .describe("background work; `failed`: of the last days"),
    redis: OpsRedisSchema.nullable().describe("null: it cannot be reached, or does not say"),
    maintenance: z.array(OpsMaintenanceSchema).describe("what workers do again and again, and how it went"),
  })
  .meta({ id: "Ops" });
export type Ops = z.infer<typeof OpsSchema>;
export const OpsAnswer = z.strictObject({ ops: OpsSchema });

export const OpsRunSchema = z
  .strictObject({
    id: IdSchema,
    session_id: IdSchema,
    profile: ProfileNameSchema,
    status: OpenRunStatus,
    attempt: count.describe("how often a worker has claimed it"),
    worker: z.string().nullable().describe("the one that claimed it last"),
    created_at: z.number(),
    started_at: z.number().nullable(),
    age_s: z.number().nonnegative(),
    held: z
      .boolean()
      .describe("not given to its queue yet: behind another turn, or for its profile's limits"),
  })
  .meta({ id: "OpsRun" });
export type OpsRun = z.infer<typeof OpsRunSchema>;
export const OpsRunList = listOf(OpsRunSchema);
export const OpsJobList = listOf(JobSchema);

export const OpsRunsQuery = z.strictObject({
  ...page,
  status: OpenRunStatus.optional(),
  profile: ProfileNameSchema.optional(),
});
export type OpsRunsQuery = z.infer<typeof OpsRunsQuery>;
export const OpsJobsQuery = z.strictObject(page);
export type OpsJobsQuery = z.infer<typeof OpsJobsQuery>;

import { z } from "zod";
import { BacklogSchema } from "./backlog.ts";
import { listOf, page } from "./http.ts";
import { IdSchema, ProfileNameSchema } from "./ids.ts";
import { JobSchema } from "./job.ts";
import { OpsMaintenanceSchema } from "./maintenance.ts";
import { RunErrorCodeSchema, RunStatusSchema } from "./run.ts";

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
    last_progress_at: z.number().nullable().describe("an event was appended or a job ended; null: not yet"),
    stalled_since: z.number().nullable().describe("it has taken no jobs since then, though it should"),
    restarts: count.describe("how often it has restarted its connections because of that"),
    started_at: z.number(),
    seen_at: z.number().describe("its last word; it is taken for dead ten seconds later"),
  })
  .meta({ id: "OpsWorker" });
export type OpsWorker = z.infer<typeof OpsWorkerSchema>;
export const OpsWorkerAnswer = z.strictObject({ worker: OpsWorkerSchema });

/** Only what Redis knows without counting. */
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

/** Asking for all journals would be a walk over every session, so this is worked out from some of them. */
export const OpsJournalsSchema = z
  .strictObject({
    sessions: count.describe("with something in the last while: their journals are in Redis"),
    sampled: count.describe("of how many the size was asked for"),
    bytes: count.describe("about what all of them take in Redis' memory"),
  })
  .meta({ id: "OpsJournals" });
export type OpsJournals = z.infer<typeof OpsJournalsSchema>;

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
    dead_letters: count.describe("as in `/api/ops/dead-letters`, counted up to 1,000"),
    redis: OpsRedisSchema.nullable().describe("null: it cannot be reached, or does not say"),
    maintenance: z.array(OpsMaintenanceSchema).describe("what workers do again and again, and how it went"),
    journals: OpsJournalsSchema.nullable().describe("null: Redis cannot be reached, or does not say"),
    dashboard: z.string().nullable().describe("where the queues are shown; null: nowhere"),
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
    job: z
      .strictObject({ queue: z.string(), id: z.string() })
      .nullable()
      .describe("its job in BullMQ; null while it is held"),
  })
  .meta({ id: "OpsRun" });
export type OpsRun = z.infer<typeof OpsRunSchema>;
export const OpsRunList = listOf(OpsRunSchema);
export const OpsJobList = listOf(JobSchema);

/** A run that failed for a reason that was not its message's. The code alone: what a provider said is the session's. */
export const DeadLetterSchema = z
  .strictObject({
    id: IdSchema,
    session_id: IdSchema,
    profile: ProfileNameSchema,
    status: RunStatusSchema.extract(["failed", "interrupted"]),
    code: RunErrorCodeSchema,
    attempt: count.describe("how often a worker has claimed it"),
    created_at: z.number(),
    ended_at: z.number(),
  })
  .meta({ id: "DeadLetter" });
export type DeadLetter = z.infer<typeof DeadLetterSchema>;
export const DeadLetterList = listOf(DeadLetterSchema);
export const DeadLettersQuery = z.strictObject(page);
export type DeadLettersQuery = z.infer<typeof DeadLettersQuery>;

export const OpsRetryBody = z.strictObject({
  kind: JobSchema.shape.kind,
  limit: z.number().int().min(1).max(200).default(100),
});
export const OpsRetryAnswer = z.strictObject({ retried: count, left: count });

export const OpsRunsQuery = z.strictObject({
  ...page,
  status: OpenRunStatus.optional(),
  profile: ProfileNameSchema.optional(),
});
export type OpsRunsQuery = z.infer<typeof OpsRunsQuery>;
export const OpsJobsQuery = z.strictObject(page);
export type OpsJobsQuery = z.infer<typeof OpsJobsQuery>;

import { z } from "zod";
import { IdSchema } from "../contracts/ids.ts";
import type { Job } from "../contracts/job.ts";
import { DEFAULT_PROFILE } from "../profiles/names.ts";

/** Every kind of job and what it carries: ids, nothing else, so that a job can neither leak nor invent work (reliability, rule 2). */
export const JOBS = {
  runs: z.strictObject({ runId: IdSchema }),
  titles: z.strictObject({ jobId: z.string().max(200) }),
  deliveries: z.strictObject({ deliveryId: IdSchema }),
  // The id of a recap names a message, which another program may have called at length.
  summaries: z.union([
    z.strictObject({ jobId: z.string().max(400) }),
    // What is new in an update belongs to no session.
    z.strictObject({ summaryId: z.string().max(200) }),
  ]),
  compression: z.strictObject({ jobId: z.string().max(200) }),
  maintenance: z.strictObject({ task: z.string().max(60) }),
} as const;
export type JobKind = keyof typeof JOBS;
export type JobData<K extends JobKind> = z.infer<(typeof JOBS)[K]>;

export const isJobKind = (name: string): name is JobKind => Object.hasOwn(JOBS, name);

/** The queue of a kind of background work. */
export const QUEUE_OF = {
  title: "titles",
  compression: "compression",
  recap: "summaries",
} as const satisfies Readonly<Record<Job["kind"], JobKind>>;

/** BullMQ's key prefix of a deployment. */
export const queuePrefix = (prefix: string): string => `${prefix}:queue`;

/** The queue of one kind of job for one profile: each has its own, so that workers can serve some profiles only. */
export const queueName = (kind: JobKind, profile: string): string =>
  profile === DEFAULT_PROFILE ? kind : `${kind}@${profile}`;

/** Kinds that are done for the deployment as a whole: they have one queue, whatever profiles there are. */
const OF_DEPLOYMENT: ReadonlySet<JobKind> = new Set(["maintenance"]);

/** The queues that a worker for these profiles serves of a kind. */
export const queuesOf = (kind: JobKind, profiles: readonly string[]): readonly string[] =>
  OF_DEPLOYMENT.has(kind)
    ? [queueName(kind, DEFAULT_PROFILE)]
    : profiles.map((profile) => queueName(kind, profile));

/** Whose queue it is: the other way round of `queueName`. */
export const profileOfQueue = (name: string): string => {
  const at = name.indexOf("@");
  return at < 0 ? DEFAULT_PROFILE : name.slice(at + 1);
};

/**
 * Id of the job that executes the run's next attempt: enqueuing twice is one job, and an id that BullMQ still keeps among
 * the finished ones never blocks a retry (DESIGN 6.1).
 */
export const runJobId = (runId: string, nextAttempt: number): string => `run-${runId}-${nextAttempt}`;

/**
 * The same for background work: one for all attempts, since the queue delivers the same job again when a worker dies in it; one
 * that was begun anew under its id is another job.
 */
export const workJobId = ({ id, created_at }: Pick<Job, "id" | "created_at">): string =>
  `${id}-${Math.round(created_at * 1000)}`;

/** The same for a delivery: one for each attempt that was scheduled, however often workers die in it. */
export const deliveryJobId = ({ id, tries }: { readonly id: string; readonly tries: number }): string =>
  `${id}-${tries}`;

import { type ConnectionOptions, Queue } from "bullmq";
import { messageOf } from "../base/errors.ts";
import type { Job } from "../contracts/job.ts";
import {
  deliveryJobId,
  type JobData,
  type JobKind,
  QUEUE_OF,
  queueName,
  queuePrefix,
  runJobId,
  workJobId,
} from "./catalog.ts";

/** The producing side of the queues: of each kind of job one per profile. */
export interface JobQueue {
  /** Puts the run's next attempt into its profile's queue; repeating it is harmless. Rejects when Redis cannot be reached. */
  add(run: { readonly id: string; readonly profile: string }, nextAttempt: number): Promise<void>;
  /** The same for a piece of background work. */
  addJob(job: Pick<Job, "id" | "kind" | "profile" | "created_at">): Promise<void>;
  /** The same for a delivery that is due. */
  addDelivery(delivery: {
    readonly id: string;
    readonly profile: string;
    readonly tries: number;
  }): Promise<void>;
  /** The same for the text about an update, which belongs to no session. */
  addSummary(work: Pick<Job, "id" | "profile" | "created_at">): Promise<void>;
  /** Whether any of these jobs waits, is delayed or is being executed. */
  anyLive(kind: JobKind, profile: string, jobIds: readonly string[]): Promise<boolean>;
  /**
   * Makes room for another job in place of one whose worker is gone. `held`: somebody has it, it stays; `waiting`: it will be delivered by
   * itself; `gone`: there is none any more, or there was one that nobody held.
   */
  reclaim(kind: JobKind, profile: string, jobId: string): Promise<"held" | "waiting" | "gone">;
  close(): Promise<void>;
}

const LIVE = new Set(["waiting", "active", "delayed", "prioritized", "waiting-children"]);
/** Infrastructure failures (a locked database, Redis away) are tried again by BullMQ; runs count their own attempts. */
const RETRIES = { attempts: 1_000, backoff: { type: "fixed", delay: 1_000 } } as const;

export const createJobQueue = (
  connection: ConnectionOptions,
  prefix: string,
  /** Says that a queue got a job; a lost word only delays the job. */
  announce: (queue: string) => void,
  onError: (error: unknown) => void,
): JobQueue => {
  // They share the connection: a profile costs an object, no socket.
  const queues = new Map<string, Queue>();
  const queueOf = (kind: JobKind, profile: string): Queue => {
    const name = queueName(kind, profile);
    const known = queues.get(name);
    if (known !== undefined) return known;
    const queue = new Queue(name, { connection, prefix: queuePrefix(prefix) });
    queue.on("error", onError);
    queues.set(name, queue);
    return queue;
  };

  const put = async <K extends JobKind>(
    kind: K,
    profile: string,
    jobId: string,
    data: JobData<K>,
  ): Promise<void> => {
    const queue = queueOf(kind, profile);
    await queue.add(kind, data, { jobId, removeOnComplete: true, removeOnFail: true, ...RETRIES });
    announce(queue.name);
  };

  return {
    add: ({ id, profile }, nextAttempt) => put("runs", profile, runJobId(id, nextAttempt), { runId: id }),
    addJob: (job) => put(QUEUE_OF[job.kind], job.profile, workJobId(job), { jobId: job.id }),
    addDelivery: (delivery) =>
      put("deliveries", delivery.profile, deliveryJobId(delivery), { deliveryId: delivery.id }),
    addSummary: (work) => put("summaries", work.profile, workJobId(work), { summaryId: work.id }),
    anyLive: async (kind, profile, jobIds) => {
      const queue = queueOf(kind, profile);
      const states = await Promise.all(jobIds.map((id) => queue.getJobState(id)));
      return states.some((state) => LIVE.has(state));
    },
    reclaim: async (kind, profile, jobId) => {
      const queue = queueOf(kind, profile);
      const state = await queue.getJobState(jobId);
      if (!LIVE.has(state)) return "gone";
      if (state !== "active") return "waiting";
      // BullMQ refuses it while its lease runs.
      return (await queue.remove(jobId)) === 1 ? "gone" : "held";
    },
    close: async () => {
      await Promise.all(
        [...queues.values()].map((queue) =>
          queue
            .close()
            .catch((error: unknown) => onError(new Error(`closing the queue: ${messageOf(error)}`))),
        ),
      );
    },
  };
};

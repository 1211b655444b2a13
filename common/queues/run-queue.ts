import { type ConnectionOptions, Queue } from "bullmq";
import { messageOf } from "../base/errors.ts";
import { type JobData, queuePrefix, runJobId } from "./catalog.ts";

/** The producing side of the `runs` queue. */
export interface RunQueue {
  /** Puts the run's next attempt into the queue; repeating it is harmless. Rejects when Redis cannot be reached. */
  add(runId: string, nextAttempt: number): Promise<void>;
  /** Whether any of these jobs waits, is delayed or is being executed. */
  anyLive(jobIds: readonly string[]): Promise<boolean>;
  /** Jobs by state. */
  counts(): Promise<Readonly<Record<string, number>>>;
  close(): Promise<void>;
}

const LIVE = new Set(["waiting", "active", "delayed", "prioritized", "waiting-children"]);
/** Infrastructure failures (a locked database, Redis away) are tried again by BullMQ; runs count their own attempts. */
const RETRIES = { attempts: 1_000, backoff: { type: "fixed", delay: 1_000 } } as const;

export const createRunQueue = (
  connection: ConnectionOptions,
  prefix: string,
  onError: (error: unknown) => void,
): RunQueue => {
  const queue = new Queue<JobData<"runs">>("runs", { connection, prefix: queuePrefix(prefix) });
  queue.on("error", onError);

  const add = async (runId: string, nextAttempt: number): Promise<void> => {
    const jobId = runJobId(runId, nextAttempt);
    await queue.add("run", { runId }, { jobId, removeOnComplete: true, removeOnFail: true, ...RETRIES });
  };
  return {
    add,
    anyLive: async (jobIds) => {
      const states = await Promise.all(jobIds.map((id) => queue.getJobState(id)));
      return states.some((state) => LIVE.has(state));
    },
    counts: () => queue.getJobCounts("waiting", "active", "delayed", "failed"),
    close: async () => {
      await queue
        .close()
        .catch((error: unknown) => onError(new Error(`closing the queue: ${messageOf(error)}`)));
    },
  };
};

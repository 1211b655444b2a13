import { type ConnectionOptions, Queue } from "bullmq";
import { messageOf } from "../base/errors.ts";
import { type JobData, queueName, queuePrefix, runJobId } from "./catalog.ts";

/** The producing side of the queues of runs, one per profile. */
export interface RunQueue {
  /** Puts the run's next attempt into its profile's queue; repeating it is harmless. Rejects when Redis cannot be reached. */
  add(run: { readonly id: string; readonly profile: string }, nextAttempt: number): Promise<void>;
  /** Whether any of these jobs waits, is delayed or is being executed. */
  anyLive(profile: string, jobIds: readonly string[]): Promise<boolean>;
  close(): Promise<void>;
}

const LIVE = new Set(["waiting", "active", "delayed", "prioritized", "waiting-children"]);
/** Infrastructure failures (a locked database, Redis away) are tried again by BullMQ; runs count their own attempts. */
const RETRIES = { attempts: 1_000, backoff: { type: "fixed", delay: 1_000 } } as const;

export const createRunQueue = (
  connection: ConnectionOptions,
  prefix: string,
  /** Says that a queue got a job; a lost word only delays the job. */
  announce: (queue: string) => void,
  onError: (error: unknown) => void,
): RunQueue => {
  // They share the connection: a profile costs an object, no socket.
  const queues = new Map<string, Queue<JobData<"runs">>>();
  const queueOf = (profile: string): Queue<JobData<"runs">> => {
    const name = queueName("runs", profile);
    const known = queues.get(name);
    if (known !== undefined) return known;
    const queue = new Queue<JobData<"runs">>(name, { connection, prefix: queuePrefix(prefix) });
    queue.on("error", onError);
    queues.set(name, queue);
    return queue;
  };

  return {
    add: async ({ id, profile }, nextAttempt) => {
      const queue = queueOf(profile);
      const jobId = runJobId(id, nextAttempt);
      await queue.add(
        "run",
        { runId: id },
        { jobId, removeOnComplete: true, removeOnFail: true, ...RETRIES },
      );
      announce(queue.name);
    },
    anyLive: async (profile, jobIds) => {
      const queue = queueOf(profile);
      const states = await Promise.all(jobIds.map((id) => queue.getJobState(id)));
      return states.some((state) => LIVE.has(state));
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

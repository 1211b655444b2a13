import { type ConnectionOptions, Queue } from "bullmq";
import { DEFAULT_PROFILE } from "../profiles/names.ts";
import { queueName, queuePrefix } from "./catalog.ts";

/** The schedules of maintenance: Redis makes one job of a task per period, whatever the number of workers. */
export interface Schedules {
  /** Makes schedules that are missing, and those that are stuck; `all`: and those of another period. Rejects while Redis is away. */
  keep(
    tasks: Readonly<Record<string, { readonly everyS: number }>>,
    all: boolean,
  ): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** A job that has been due for longer was lost: nothing follows it any more. */
const STUCK_MS = 60_000;
/** Of one tick. What comes of it after that, the next one does. */
const TRIES = { attempts: 5, backoff: { type: "exponential", delay: 1_000 } } as const;

export const createSchedules = (
  connection: ConnectionOptions,
  prefix: string,
  onError: (error: unknown) => void,
): Schedules => {
  const queue = new Queue(queueName("maintenance", DEFAULT_PROFILE), {
    ...{ connection, prefix: queuePrefix(prefix) },
  });
  queue.on("error", onError);
  return {
    keep: async (tasks, all) => {
      const known = new Map((await queue.getJobSchedulers()).map((schedule) => [schedule.key, schedule]));
      const made: string[] = [];
      for (const [task, { everyS }] of Object.entries(tasks)) {
        const { every, next } = known.get(task) ?? {};
        const isRight = every === everyS * 1000 && (next ?? 0) > Date.now() - STUCK_MS;
        // During a rolling replacement another version may want another period: they must not answer each other for ever.
        const isThere = every !== undefined && (next ?? 0) > Date.now() - STUCK_MS;
        if (all ? isRight : isThere) continue;
        const opts = { removeOnComplete: true, removeOnFail: true, ...TRIES };
        await queue.upsertJobScheduler(
          task,
          { every: everyS * 1000 },
          { name: "maintenance", data: { task }, opts },
        );
        made.push(task);
      }
      return made;
    },
    close: () => queue.close(),
  };
};

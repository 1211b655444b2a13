import { setTimeout as pause } from "node:timers/promises";
import type { LifecycleDeps } from "../../common/lifecycle/deps.ts";
import type { Dispatcher } from "../../common/lifecycle/dispatcher.ts";
import type { Logger } from "../../common/logging/logger.ts";
import type { WorkerRegistry } from "../../common/queues/worker-registry.ts";
import type { Task } from "./task.ts";

/** Runs of one pass; those that were taken back are not found again. */
const LIMIT = 200;
/** Time for every living worker to say so: a Redis that was emptied knows of none at first. In milliseconds. */
const LOOK_AGAIN_MS = 5_000;

/**
 * The last net under runs whose worker is gone. BullMQ delivers their jobs again within seconds where a worker serves their queue; what
 * it does not (nobody serves it any more, its job was lost) goes back to the queue here and counts as waiting again, so that the
 * backlog says why it does not go on. A run whose worker lives only silently is held by its job's lease and stays.
 */
export const interruptedTask =
  ({
    read,
    write,
    queue,
    dispatcher,
    workers,
    log,
  }: Pick<LifecycleDeps, "queue"> & {
    readonly read: Pick<LifecycleDeps["read"], "runsOfOthers">;
    readonly write: Pick<LifecycleDeps["write"], "takeBack">;
    readonly dispatcher: Pick<Dispatcher, "handle">;
    readonly workers: Pick<WorkerRegistry, "live">;
    readonly log: Logger;
  }): Task =>
  async ({ signal }) => {
    const orphans = async () =>
      read.runsOfOthers(
        (await workers.live()).map(({ name }) => name),
        LIMIT,
      );
    const before = new Map((await orphans()).map(({ run, generation }) => [run.id, generation]));
    if (before.size === 0) return { done: 0 };
    await pause(LOOK_AGAIN_MS, undefined, { signal });
    let done = 0;
    for (const { run, generation, jobId } of await orphans()) {
      if (before.get(run.id) !== generation) continue;
      signal.throwIfAborted();
      const job = jobId === null ? "gone" : await queue.reclaim("runs", run.profile, jobId);
      if (job === "held") continue;
      const outbox = await write.takeBack(run.id, generation, job === "gone");
      log.warn({ run: run.id, profile: run.profile }, "a run whose worker is gone waits for the next one");
      await dispatcher.handle(outbox);
      done += 1;
    }
    return { done };
  };

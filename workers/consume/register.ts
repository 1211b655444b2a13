import { hostname } from "node:os";
import { startRounds } from "../../common/base/rounds.ts";
import { packageVersion } from "../../common/config/version.ts";
import type { Logger } from "../../common/logging/logger.ts";
import type { WorkerInfo, WorkerRegistry } from "../../common/queues/worker-registry.ts";

/** How often a worker says that it is there, in milliseconds; see `WORKER_SILENT_S`. */
const SAY_EVERY_MS = 2_000;

/** What a worker says anew each time. */
export type WorkerState = Pick<
  WorkerInfo,
  "running" | "draining" | "environment" | "last_progress_at" | "stalled_since" | "restarts"
>;

/** Keeps saying what this worker serves and does until `close`, which takes it off the list; `now` says it at once. Never rejects. */
export const registerWorker = async (
  registry: Pick<WorkerRegistry, "put" | "drop">,
  worker: Pick<WorkerInfo, "name" | "queues" | "profiles" | "concurrency">,
  stateOf: () => WorkerState,
  log: Logger,
): Promise<{ now(): void; close(): Promise<void> }> => {
  const known = { ...worker, pid: process.pid, host: hostname(), version: packageVersion() };
  const startedAt = Date.now() / 1000;
  const words = startRounds({
    work: () => registry.put({ ...known, ...stateOf(), started_at: startedAt, seen_at: Date.now() / 1000 }),
    pauseMs: () => SAY_EVERY_MS,
    onError: (err) => log.debug({ err }, "Redis is away: nobody hears that this worker is there"),
  });
  await words.first;
  return {
    now: () => void words.now(),
    close: async () => {
      await words.close();
      // A list that cannot be reached forgets it by itself.
      await registry.drop(worker.name).catch(() => {});
    },
  };
};

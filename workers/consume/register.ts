import { hostname } from "node:os";
import { packageVersion } from "../../common/config/version.ts";
import type { Logger } from "../../common/logging/logger.ts";
import type { WorkerInfo, WorkerRegistry } from "../../common/queues/worker-registry.ts";

/** How often a worker says that it is there, in milliseconds; see `WORKER_SILENT_S`. */
const SAY_EVERY_MS = 2_000;

/** Keeps saying what this worker serves and does until `close`, which takes it off the list. Never rejects. */
export const registerWorker = async (
  registry: Pick<WorkerRegistry, "put" | "drop">,
  worker: Pick<WorkerInfo, "name" | "queues" | "profiles" | "concurrency">,
  stateOf: () => Pick<WorkerInfo, "running" | "draining" | "environment">,
  log: Logger,
): Promise<{ close(): Promise<void> }> => {
  const known = { ...worker, pid: process.pid, host: hostname(), version: packageVersion() };
  const startedAt = Date.now() / 1000;
  const say = async (): Promise<void> => {
    const times = { started_at: startedAt, seen_at: Date.now() / 1000 };
    await registry
      .put({ ...known, ...stateOf(), ...times })
      .catch((err: unknown) => log.debug({ err }, "Redis is away: nobody hears that this worker is there"));
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stopped = false;
  let pass: Promise<void> = Promise.resolve();
  const round = (): Promise<void> => {
    pass = say().then(() => {
      if (!stopped) timer = setTimeout(() => void round(), SAY_EVERY_MS);
    });
    return pass;
  };
  await round();
  return {
    close: async () => {
      stopped = true;
      clearTimeout(timer);
      await pass;
      clearTimeout(timer);
      // A list that cannot be reached forgets it by itself.
      await registry.drop(worker.name).catch(() => {});
    },
  };
};

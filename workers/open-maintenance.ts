import { join } from "node:path";
import type { Backbone } from "../common/backbone/open.ts";
import type { MaintenanceTask } from "../common/contracts/maintenance.ts";
import { removeLeftovers } from "../common/profiles/leftovers.ts";
import { JOBS } from "../common/queues/catalog.ts";
import { createSchedules } from "../common/queues/schedules.ts";
import type { WorkerRegistry } from "../common/queues/worker-registry.ts";
import { connectRedis } from "../common/redis/connect.ts";
import { archiveTask } from "./maintenance/archive.ts";
import { databasesTask } from "./maintenance/databases.ts";
import { expireTask } from "./maintenance/expire.ts";
import { interruptedTask } from "./maintenance/interrupted.ts";
import { keepSchedules } from "./maintenance/keep-schedules.ts";
import { leftoversTask } from "./maintenance/leftovers.ts";
import { createMaintenance } from "./maintenance/perform.ts";
import type { Task } from "./maintenance/task.ts";
import { trimTask } from "./maintenance/trim.ts";

export interface Maintenance {
  /** Ticks at the same time: a long task must not hold up the one of every few seconds. */
  readonly concurrency: number;
  /** Does one tick; `id` is its job's. */
  process(data: unknown, profile: string, id: string): Promise<void>;
  /** Sees to it that there are ticks, until the backbone is closed. */
  schedule(): void;
}

/** Maintenance over the stores of this worker. `handBack` aborts when the worker gives its work back. */
export const openMaintenance = (
  backbone: Backbone,
  workers: Pick<WorkerRegistry, "live">,
  handBack: AbortSignal,
): Maintenance => {
  const { db, config, closers, log } = backbone;
  const perform = createMaintenance({
    ...{ write: db.write, tasks: tasksOf(backbone, workers), handBack, log },
  });
  return {
    concurrency: 2,
    process: (data, _profile, id) => perform(JOBS.maintenance.parse(data).task, id),
    schedule: () => {
      const onError = (err: unknown): void => log.warn({ err }, "schedules of maintenance");
      const connection = connectRedis(config.redis.url, "queue-producer", { onError });
      closers.add("schedules connection", () => connection.disconnect());
      const schedules = createSchedules(connection, config.redis.prefix, onError);
      closers.add("schedules", () => schedules.close());
      const keeping = keepSchedules(schedules, log);
      closers.add("keeping of schedules", () => keeping.close());
    },
  };
};

const tasksOf = (
  { db: { read, write }, journal, lifecycle, lifecycleDeps, config, log }: Backbone,
  workers: Pick<WorkerRegistry, "live">,
): Readonly<Record<MaintenanceTask, Task>> => {
  const file = (name: string): string => join(config.stateDir, name);
  return {
    archive: archiveTask({ read, journal, log }),
    trim: trimTask({ read, journal, retentionMs: config.journal.retentionMs }),
    interrupted: interruptedTask({
      ...{ read, write, workers, log, queue: lifecycleDeps.queue, dispatcher: lifecycle.dispatcher },
    }),
    expire: expireTask({ write }),
    leftovers: leftoversTask({
      ...{ read, journal },
      removeFiles: (olderThanMs) => removeLeftovers(config.home, file("profiles.lock"), olderThanMs),
    }),
    databases: databasesTask({ paths: { talaria: file("talaria.db"), search: file("search.db") } }),
  };
};

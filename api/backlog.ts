import type { Backlog } from "../common/contracts/backlog.ts";
import { backlogOf } from "../common/queues/backlog.ts";
import { QUEUE_OF } from "../common/queues/catalog.ts";
import type { WorkerRegistry } from "../common/queues/worker-registry.ts";
import type { TalariaDb } from "../common/talaria-db/open.ts";
import { kept } from "./ops/kept.ts";

/** What waits for a worker, and why. Rejects while Redis is away: then nobody knows which workers there are. */
export const createBacklog = (
  read: Pick<TalariaDb["read"], "runsToBegin" | "jobsToBegin" | "deliveriesToBegin">,
  live: WorkerRegistry["live"],
): (() => Promise<readonly Backlog[]>) =>
  kept(async () => {
    const [{ waiting: released, held }, jobs, deliveries] = await Promise.all([
      read.runsToBegin(),
      read.jobsToBegin(),
      read.deliveriesToBegin(),
    ]);
    const runs = (work: typeof held) => work.map((one) => ({ ...one, kind: "runs" as const }));
    const waiting = [
      ...runs(released),
      ...jobs.map((job) => ({ ...job, kind: QUEUE_OF[job.kind] })),
      ...deliveries.map((work) => ({ ...work, kind: "deliveries" as const })),
    ];
    const workers = waiting.length === 0 ? [] : await live();
    return backlogOf(waiting, runs(held), workers, Date.now() / 1000);
  });

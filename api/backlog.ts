import type { Backlog } from "../common/contracts/backlog.ts";
import { backlogOf } from "../common/queues/backlog.ts";
import { QUEUE_OF } from "../common/queues/catalog.ts";
import type { WorkerRegistry } from "../common/queues/worker-registry.ts";
import type { TalariaDb } from "../common/talaria-db/open.ts";

/** Many pages ask; one look a second is enough for them. */
const KEEP_MS = 1_000;

/** What waits for a worker, and why. Rejects while Redis is away: then nobody knows which workers there are. */
export const createBacklog = (
  read: Pick<TalariaDb["read"], "runsToBegin" | "jobsToBegin">,
  registry: Pick<WorkerRegistry, "live">,
): (() => Promise<readonly Backlog[]>) => {
  let last: { readonly at: number; readonly answer: Promise<readonly Backlog[]> } | null = null;
  const look = async (): Promise<readonly Backlog[]> => {
    const [{ waiting: released, held }, jobs] = await Promise.all([read.runsToBegin(), read.jobsToBegin()]);
    const runs = (work: typeof held) => work.map((one) => ({ ...one, kind: "runs" as const }));
    const waiting = [...runs(released), ...jobs.map((job) => ({ ...job, kind: QUEUE_OF[job.kind] }))];
    const workers = waiting.length === 0 ? [] : await registry.live();
    return backlogOf(waiting, runs(held), workers, Date.now() / 1000);
  };
  return () => {
    const at = performance.now();
    if (last === null || at - last.at >= KEEP_MS) {
      const answer = look();
      last = { at, answer };
      answer.catch(() => {
        last = null;
      });
    }
    return last.answer;
  };
};

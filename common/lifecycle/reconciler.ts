import pLimit from "p-limit";
import { type Rounds, startRounds } from "../base/rounds.ts";
import { deliveryJobId, type JobKind, QUEUE_OF, runJobId, workJobId } from "../queues/catalog.ts";
import type { LifecycleDeps } from "./deps.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { Settler } from "./settle.ts";

export interface ReconcilerOptions {
  /** After this a stop is settled without the worker, in milliseconds. */
  readonly cancelGraceMs: number;
}

const OUTBOX_EVERY_MS = 1_000;
const JOBS_EVERY_MS = 5_000;
/** A run this young is not missing yet, in seconds. */
const YOUNG_S = 5;
const LIMIT = 500;

/**
 * Looks for what a dead process left behind, in every process: outbox rows nobody told, runs without a job, stops without
 * an answer (reliability 1, 2). `close` ends the timers and waits for the pass under way.
 */
export const startReconciler = (
  deps: LifecycleDeps,
  dispatcher: Dispatcher,
  settler: Settler,
  options: ReconcilerOptions,
): { close(): Promise<void> } => {
  const { read, write, queue, log } = deps;
  const limit = pLimit(16);
  const nowS = (): number => Date.now() / 1000;

  const overdueCancels = async (): Promise<void> => {
    for (const runId of await read.overdueCancels(nowS() - options.cancelGraceMs / 1000)) {
      await settler.settle(runId, { kind: "cancelled" });
    }
  };

  /** Ids of those of whose jobs none waits or is being done. */
  const withoutJob = async <T extends { readonly id: string; readonly profile: string }>(
    items: readonly T[],
    kindOf: (item: T) => JobKind,
    jobIdsOf: (item: T) => readonly string[],
  ): Promise<readonly string[]> => {
    const found = await Promise.all(
      items.map((item) => limit(() => queue.anyLive(kindOf(item), item.profile, jobIdsOf(item)))),
    );
    return items.filter((_item, index) => found[index] === false).map(({ id }) => id);
  };

  /** Queue jobs that were lost (an emptied Redis, a truncated log) are made again from the database. */
  const lostJobs = async (): Promise<void> => {
    const before = nowS() - YOUNG_S;
    const records = await read.expectingJobs(before, LIMIT);
    const held = new Map(records.map(({ run, jobId }) => [run.id, jobId]));
    const runs = await withoutJob(
      records.map(({ run }) => run),
      () => "runs",
      ({ id, attempt }) => [
        runJobId(id, attempt + 1),
        ...[held.get(id) ?? null].filter((one) => one !== null),
      ],
    );
    if (runs.length > 0) {
      log.warn({ runs: runs.length }, "runs without a job are queued again");
      await dispatcher.handle(await write.redispatch(runs));
    }
    const work = await withoutJob(
      await read.openJobs(before, LIMIT),
      ({ kind }) => QUEUE_OF[kind],
      (job) => [workJobId(job)],
    );
    if (work.length > 0) await dispatcher.handle(await write.requeueJobs(work));
    const deliveries = await withoutJob(
      await read.openDeliveries(before, LIMIT),
      () => "deliveries",
      (delivery) => [deliveryJobId(delivery)],
    );
    if (deliveries.length > 0) await dispatcher.handle(await write.requeueDeliveries(deliveries));
  };

  const every = (ms: number, work: () => Promise<void>): Rounds =>
    startRounds({
      work,
      // Jitter keeps processes from looking at the same moment.
      pauseMs: () => ms * (0.8 + Math.random() * 0.4),
      onError: (err) => log.warn({ err }, "a reconciling pass failed; the next one follows"),
    });
  const loops = [
    every(OUTBOX_EVERY_MS, async () => {
      await dispatcher.handle(await write.releaseDue());
      await dispatcher.sweep();
      await overdueCancels();
    }),
    every(JOBS_EVERY_MS, lostJobs),
  ];

  return {
    close: async () => {
      await Promise.all(loops.map((loop) => loop.close()));
    },
  };
};

import { type ConnectionOptions, type Job, Worker } from "bullmq";
import { messageOf } from "../../common/base/errors.ts";
import type { Logger } from "../../common/logging/logger.ts";

export interface ConsumerOptions {
  readonly connection: ConnectionOptions;
  /** BullMQ's key prefix. */
  readonly prefix: string;
  /** Jobs at the same time, over all queues. */
  readonly concurrency: number;
  /** Lease on a job, in milliseconds; renewed while it is being done. */
  readonly lockMs: number;
  /** How often jobs are looked for whose lease ran out, in milliseconds. */
  readonly stalledCheckMs: number;
  /** Does one job. Rejects for infrastructure failures only: the job is tried again. */
  readonly process: (job: Job) => Promise<void>;
  readonly log: Logger;
}

export interface Consumer {
  /** Serves exactly these queues from now on; what is being done of others goes on to its end. */
  serve(queues: readonly string[]): void;
  /** A queue may have work: it is looked at now, not at the next round. */
  wake(queue: string): void;
  /** Jobs that are being done. */
  readonly running: number;
  /** Goes up with every job taken and every look that came to its end: one that stands still for seconds is stuck. */
  readonly looks: number;
  /** Forgets the look under way, which may hang for ever, and opens its queues anew; what is being done goes on. */
  restart(): void;
  /** Takes no more jobs. */
  pause(): void;
  /** Waits for what is being done, then lets go of all queues. */
  close(): Promise<void>;
  /** Lets go at once: jobs that are being done are delivered to others when their leases run out. */
  abandon(): Promise<void>;
}

/** More deliveries than any run takes: attempts are counted in the database, not by the queue (reliability 12). */
const NEVER_TOO_OFTEN = 1_000_000;
/** A word that was lost, and jobs that became due, are found within this time. */
const LOOK_EVERY_MS = 1_000;

/**
 * Takes jobs of many queues, one at a time and the queues in turn, so that no profile's backlog holds up another's, and no more
 * than it may do at once. BullMQ's own loop blocks on one queue, fetches several jobs before it begins the first (on a busy event
 * loop longer than a lease lasts), and renews leases by job, so that an attempt that lost its job would end the renewal of the
 * one that has it now. Here each job is begun as soon as it is fetched, and each attempt renews its own lease.
 */
export const createConsumer = ({
  connection,
  prefix,
  concurrency,
  lockMs,
  stalledCheckMs,
  process,
  log,
}: ConsumerOptions): Consumer => {
  const served = new Map<string, Worker>();
  /** Queues that may have work, in the order in which they are looked at. */
  const due = new Set<string>();
  const jobs = new Set<Promise<void>>();
  /** Queues that are let go of behind their last jobs. */
  const closing = new Set<Promise<void>>();
  let paused = false;
  let looking = false;
  let looks = 0;
  /** Counts restarts: what an older look finds is not begun. */
  let era = 0;
  let tokens = 0;

  const open = (queue: string): Worker => {
    const worker = new Worker(queue, null, {
      ...{ connection, prefix, lockDuration: lockMs, stalledInterval: stalledCheckMs },
      maxStalledCount: NEVER_TOO_OFTEN,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    });
    worker.on("error", (err) => log.warn({ err, queue }, "redis connection"));
    worker.on("stalled", () => wake(queue));
    worker
      .startStalledCheckTimer()
      .catch((err: unknown) => log.warn({ err, queue }, "leases that ran out are not looked for"));
    return worker;
  };

  const wake = (queue: string): void => {
    if (!served.has(queue)) return;
    due.add(queue);
    void look();
  };

  /** Takes jobs until no queue has any or enough are being done; one look at a time. */
  const look = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    const mine = era;
    try {
      for (let queue = next(); queue !== undefined; queue = next()) {
        const worker = served.get(queue);
        if (worker === undefined) continue;
        const token = `${worker.id}:${tokens++}`;
        const job = await worker.getNextJob(token, { block: false });
        // Found by a look that was given up: its lease runs out and it is delivered again.
        if (mine !== era) return;
        looks += 1;
        if (job === undefined) continue;
        // At the end of the row: the other queues come first.
        due.add(queue);
        begin(worker, job, token);
      }
      looks += 1;
    } catch (err) {
      log.warn({ err }, "no job could be taken; looking again");
    } finally {
      if (mine === era) looking = false;
    }
  };

  const next = (): string | undefined => {
    if (paused || jobs.size >= concurrency) return undefined;
    const [queue] = due;
    if (queue !== undefined) due.delete(queue);
    return queue;
  };

  const begin = (worker: Worker, job: Job, token: string): void => {
    const done = execute(job, token).finally(() => {
      jobs.delete(done);
      wake(worker.name);
      void look();
    });
    jobs.add(done);
  };

  const execute = async (job: Job, token: string): Promise<void> => {
    const renewal = setInterval(() => {
      // A lease that is lost is not an error here: the fence decides who writes.
      job.extendLock(token, lockMs).catch(() => {});
    }, lockMs / 4);
    try {
      // Also what is thrown at once is a failure: a job that nobody tells the queue about would be delivered for ever.
      const failure = await (async () => process(job))().then(
        () => null,
        (error: unknown) => (error instanceof Error ? error : new Error(messageOf(error))),
      );
      if (failure === null) await job.moveToCompleted(null, token, false);
      else {
        log.warn({ job: job.id, reason: failure.message }, "a job failed; it is tried again");
        await job.moveToFailed(failure, token, false);
      }
    } catch (err) {
      // Its lease ran out and somebody else has it, or Redis is away: then it is delivered again, and finds the work done.
      log.debug({ err, job: job.id }, "the queue was not told that a job is over");
    } finally {
      clearInterval(renewal);
    }
  };

  const timer = setInterval(() => {
    for (const queue of served.keys()) due.add(queue);
    void look();
  }, LOOK_EVERY_MS);

  const letGo = async (worker: Worker): Promise<void> => {
    await worker
      .close(true)
      .catch((err: unknown) => log.warn({ err, queue: worker.name }, "a queue could not be let go"));
  };

  /** Jobs of it that are being done still tell the queue their end: it is closed behind them. */
  const closeBehind = (worker: Worker): void => {
    const last = Promise.allSettled([...jobs]).then(() => letGo(worker));
    closing.add(last);
    void last.finally(() => closing.delete(last));
  };

  return {
    serve(queues) {
      const wanted = new Set(queues);
      for (const queue of wanted) {
        if (served.has(queue)) continue;
        served.set(queue, open(queue));
        wake(queue);
      }
      for (const [queue, worker] of served) {
        if (wanted.has(queue)) continue;
        served.delete(queue);
        due.delete(queue);
        closeBehind(worker);
      }
    },
    wake,
    get running() {
      return jobs.size;
    },
    get looks() {
      return looks;
    },
    restart() {
      era += 1;
      looking = false;
      for (const [queue, worker] of served) {
        closeBehind(worker);
        served.set(queue, open(queue));
        due.add(queue);
      }
      void look();
    },
    pause() {
      paused = true;
    },
    async close() {
      paused = true;
      clearInterval(timer);
      await Promise.allSettled([...jobs]);
      await Promise.all([...closing, ...[...served.values()].map(letGo)]);
    },
    async abandon() {
      paused = true;
      clearInterval(timer);
      await Promise.all([...served.values()].map(letGo));
    },
  };
};

import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import type { Job, Queue } from "bullmq";
import { JOBS, type JobKind } from "../../common/queues/catalog.ts";

type JobStatuses = Parameters<BullMQAdapter["getJobs"]>[0];
type QueueWorkers = Awaited<ReturnType<BullMQAdapter["getWorkers"]>>;
type Schedulers = Awaited<ReturnType<BullMQAdapter["getJobSchedulers"]>>;

/** Jobs of each state that one answer has at most, whatever was asked for. */
const MAX_PAGE = 100;
const MAX_REASON = 1_000;

export interface ShownQueue {
  readonly kind: JobKind;
  readonly queue: Queue;
  /** Takes the keys of the queue's profile out of a text. */
  readonly redact: (text: string) => Promise<string>;
}

/**
 * A queue as the dashboard shows it: of each job its times, ids and attempts, and why it failed, redacted. What else stands in Redis,
 * put there by whomever, is left out (security-contract 15), and so is everything about Redis and its clients.
 */
export class IdsOnlyQueue extends BullMQAdapter {
  readonly #shown: ShownQueue;

  constructor(shown: ShownQueue) {
    super(shown.queue, { readOnlyMode: true, allowRetries: false, displayName: shown.queue.name });
    this.#shown = shown;
  }

  override async getJob(id: string): Promise<Job | undefined> {
    const job = await super.getJob(id);
    return job === undefined ? undefined : this.#cut(job);
  }

  override async getJobs(statuses: JobStatuses, start = 0, end = start): Promise<Job[]> {
    const jobs = await super.getJobs(statuses, start, Math.min(end, start + MAX_PAGE - 1));
    return Promise.all(jobs.map((job) => this.#cut(job)));
  }

  override getJobLogs = async (): Promise<string[]> => [];
  override getWorkers = async (): Promise<QueueWorkers> => null;
  override getRedisInfo = async (): Promise<null> => null;
  /** We have no flows, and a tree of jobs would show more of them than ids. */
  override getFlowProducer = async (): Promise<null> => null;
  override getJobSchedulers = async (): Promise<Schedulers> => [];
  override getJobSchedulersCount = async (): Promise<number> => 0;

  async #cut(job: Job): Promise<Job> {
    const { kind, redact } = this.#shown;
    const whole = job.toJSON();
    const reason: unknown = whole.failedReason;
    const opts = { attempts: whole.opts.attempts, delay: whole.opts.delay };
    const json = {
      id: whole.id,
      name: kind,
      data: idsOf(kind, whole.data),
      opts,
      timestamp: whole.timestamp,
      processedOn: whole.processedOn,
      processedBy: whole.processedBy,
      finishedOn: whole.finishedOn,
      attemptsMade: whole.attemptsMade,
      attemptsStarted: whole.attemptsStarted,
      stalledCounter: whole.stalledCounter,
      delay: whole.delay,
      priority: whole.priority,
      progress: 0,
      returnvalue: null,
      stacktrace: [],
      ...(typeof reason === "string" ? { failedReason: (await redact(reason)).slice(0, MAX_REASON) } : {}),
    };
    // Without its parent: bull-board would follow one that is its own for ever.
    return Object.create(job, { toJSON: { value: () => json }, opts: { value: opts } }) as Job;
  }
}

/** What a job of this kind carries; of anything else only that it is something else. */
const idsOf = (kind: JobKind, data: unknown): Readonly<Record<string, string>> => {
  const parsed = JOBS[kind].safeParse(data);
  return parsed.success ? parsed.data : { refused: `not what a job of "${kind}" carries; workers refuse it` };
};

import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import type { Job, Queue } from "bullmq";
import { JOBS, type JobKind } from "../../common/queues/catalog.ts";

type JobStatuses = Parameters<BullMQAdapter["getJobs"]>[0];
type QueueWorkers = Awaited<ReturnType<BullMQAdapter["getWorkers"]>>;
type Schedulers = Awaited<ReturnType<BullMQAdapter["getJobSchedulers"]>>;

/** Jobs of each state that one answer has at most, whatever was asked for. */
const MAX_PAGE = 100;
const MAX_REASON = 1_000;

export interface TextRedactor {
  text(value: string): string;
}

export interface ShownQueue {
  readonly kind: JobKind;
  readonly queue: Queue;
  /** What takes the keys of the queue's profile out of texts, as they are now: its files are read for it. */
  readonly redactor: () => Promise<TextRedactor>;
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
    return job === undefined ? undefined : (await this.#cut([job]))[0];
  }

  override async getJobs(statuses: JobStatuses, start = 0, end = start): Promise<Job[]> {
    const jobs = await super.getJobs(statuses, start, Math.min(end, start + MAX_PAGE - 1));
    return this.#cut(jobs);
  }

  override getJobLogs = async (): Promise<string[]> => [];
  override getWorkers = async (): Promise<QueueWorkers> => null;
  override getRedisInfo = async (): Promise<null> => null;
  /** We have no flows, and a tree of jobs would show more of them than ids. */
  override getFlowProducer = async (): Promise<null> => null;
  override getJobSchedulers = async (): Promise<Schedulers> => [];
  override getJobSchedulersCount = async (): Promise<number> => 0;

  /** The jobs of one answer. The redactor is asked for once, and only where a job has failed. */
  async #cut(jobs: readonly Job[]): Promise<Job[]> {
    const { kind, redactor } = this.#shown;
    let asked: Promise<TextRedactor> | null = null;
    const redact = async (text: string): Promise<string> => {
      asked ??= redactor();
      return (await asked).text(text);
    };
    return Promise.all(jobs.map((job) => cutJob(job, kind, redact)));
  }
}

const cutJob = async (job: Job, kind: JobKind, redact: (text: string) => Promise<string>): Promise<Job> => {
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
};

/** What a job of this kind carries; of anything else only that it is something else. */
const idsOf = (kind: JobKind, data: unknown): Readonly<Record<string, string>> => {
  const parsed = JOBS[kind].safeParse(data);
  return parsed.success ? parsed.data : { refused: `not what a job of "${kind}" carries; workers refuse it` };
};

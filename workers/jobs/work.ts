import type { Job, JobProgress } from "../../common/contracts/job.ts";
import type { ClaimedJob } from "../../common/jobs/ledger.ts";
import type { Logger } from "../../common/logging/logger.ts";
import type { Profile } from "../../common/profiles/port.ts";
import type { OutboxRow } from "../../common/runs/ledger.ts";

/** One kind of background work: what is done between a job's claim and its end. */
export interface JobWork {
  /** Of the whole attempt, in milliseconds (background-jobs B-7). */
  readonly deadlineMs: number;
  /** Why there is nothing to do, told before anything is read; null: there is. */
  readonly skip?: (claimed: ClaimedJob) => string | null;
  /**
   * Computes without any lock, under the job's profile and its environment (B-2, B-4). Rejects for infrastructure failures, which
   * the queue repeats, and when `signal` aborts.
   */
  readonly work: (run: JobRun) => Promise<JobEnding>;
}

export interface JobRun extends ClaimedJob {
  readonly profile: Profile;
  /** Aborts at the deadline, when the worker hands its work back, and when the job is this attempt's no more. */
  readonly signal: AbortSignal;
  /** The deadline alone. */
  readonly late: AbortSignal;
  readonly log: Logger;
  /** Tells how far it is (B-22). Never rejects. */
  readonly progress: (at: JobProgress) => Promise<void>;
}

export type JobEnding =
  /** `apply` changes what the job is about, by compare-and-set, and ends the job in the same transaction. */
  | {
      readonly kind: "apply";
      readonly apply: () => Promise<readonly OutboxRow[]>;
      readonly reason: string | null;
    }
  | { readonly kind: "skipped" | "failed"; readonly reason: string };

export type JobWorks = Readonly<Record<Job["kind"], JobWork>>;

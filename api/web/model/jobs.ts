import type { Job } from "../../../common/contracts/job.ts";
import type { SessionState } from "./session-state.ts";

type Jobs = SessionState["jobs"];

/** Answers and events may overtake each other: what is older than what is known changes nothing, and an ended job stays ended unless it was made anew. */
export const takeJob = (jobs: Jobs, job: Job): Jobs =>
  isOld(jobs[job.kind], job) ? jobs : { ...jobs, [job.kind]: job };

const isOld = (known: Job | undefined, job: Job): boolean => {
  // A recap may be found that was made before the one that was last told of.
  if (known === undefined || (known.id !== job.id && job.kind === "recap")) return false;
  if (known.created_at !== job.created_at) return known.created_at > job.created_at;
  return known.attempt > job.attempt || (known.ended_at !== null && job.ended_at === null);
};

/** What a person reads of a job that goes on, failed, or was not worth doing. */
export interface JobNotice {
  readonly tone: "busy" | "failed" | "info";
  readonly text: string;
}

import type { Job } from "../../../common/contracts/job.ts";
import type { Recap, RecapKind } from "../../../common/contracts/recap.ts";
import { type JobNotice, takeJob } from "./jobs.ts";
import type { SessionState } from "./session-state.ts";
import type { Turn } from "./timeline.ts";

/** What the element of a card is known by; no message has such a name. */
export const recapName = ({ kind, after }: Pick<Recap, "kind" | "after">): string => `${kind}:${after}`;

/** One card of a kind stands behind a message; the newer one replaces the older. */
export const withRecaps = (state: SessionState, news: readonly Recap[]): SessionState => {
  if (news.length === 0) return state;
  const names = new Set(news.map(recapName));
  return { ...state, recaps: [...state.recaps.filter((recap) => !names.has(recapName(recap))), ...news] };
};

/** What a job says; a recap that is done brings its card. */
export const withJob = (state: SessionState, job: Job): SessionState => {
  const jobs = takeJob(state.jobs, job);
  if (jobs === state.jobs) return state;
  const next = { ...state, jobs };
  const recap = job.kind === "recap" ? (job.result?.recap as Recap | undefined) : undefined;
  if (recap === undefined) return next;
  const shown = withRecaps({ ...next, offer: false }, [recap]);
  // Who asked for it shall see it, wherever they read meanwhile.
  return state.awaitedRecap === job.id ? { ...shown, awaitedRecap: null, reveal: recapName(recap) } : shown;
};

/** The person asked for a recap, and this is the job that the server answered with. */
export const recapAsked = (state: SessionState, job: Job): SessionState =>
  withJob({ ...state, awaitedRecap: job.id, offer: false }, job);

/** The cards that stand behind the messages of a turn, the oldest first. */
export const recapsOf = (turn: Turn, recaps: readonly Recap[]): readonly Recap[] => {
  if (recaps.length === 0) return [];
  const ids = new Set(turn.committed.map(({ id }) => id));
  return recaps.filter(({ after }) => ids.has(after)).sort((a, b) => a.created_at - b.created_at);
};

/** What is said of the recap that is being made; null: nothing. */
export const recapLine = (job: Job | undefined): JobNotice | null => {
  switch (job?.state) {
    case "queued":
    case "running":
      return { tone: "busy", text: "Reading back through the conversation…" };
    case "failed":
      return { tone: "failed", text: "No recap was made." };
    case "skipped":
      return {
        tone: "info",
        text: job.reason === "disabled" ? "Summaries are off in this profile." : "There is nothing to recap.",
      };
    default:
      return null;
  }
};

/** For whom a job's card is. */
export const recapKindOf = (job: Job): RecapKind =>
  job.id.startsWith(`recap-${job.session_id}-handoff-`) ? "handoff" : "recap";

import type { Backlog } from "../../../common/contracts/backlog.ts";

/** One sentence for each queue that somebody should look at. */
export const backlogBanner = (backlog: readonly Backlog[]): readonly string[] =>
  backlog.flatMap(({ alarm, reason, profile, queue, jobs }) => {
    if (!alarm) return [];
    const what = queue.startsWith("runs")
      ? jobs === 1
        ? "A message waits"
        : `${jobs} messages wait`
      : "Background work waits";
    const where = profile === "default" ? "" : ` in the profile “${profile}”`;
    return [
      reason === "no_worker"
        ? `${what}${where}: no worker is running for it.`
        : `${what}${where}: the workers do not take it.`,
    ];
  });

/** Why a message of a profile has not begun; null: nothing is known that a person would not expect. */
export const waitReason = (backlog: readonly Backlog[], profile: string): string | null => {
  const reasons = new Set(
    backlog
      .filter((work) => work.profile === profile && work.queue.startsWith("runs"))
      .map(({ reason }) => reason),
  );
  if (reasons.has("no_worker")) return "Waiting: no worker is running";
  if (reasons.has("stuck")) return "Waiting: the workers do not take it";
  if (reasons.has("busy")) return "Waiting: all workers are busy";
  return reasons.has("limit") ? "Waiting for the limits of the profile" : null;
};

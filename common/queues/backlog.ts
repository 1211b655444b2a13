import type { Backlog } from "../contracts/backlog.ts";
import { type JobKind, queueName } from "./catalog.ts";
import { WORKER_SILENT_S, type WorkerInfo } from "./worker-registry.ts";

/** Work of one kind for one profile that nobody has begun. */
export interface Waiting {
  readonly kind: JobKind;
  readonly profile: string;
  readonly n: number;
  /** Since when the oldest has waited, epoch seconds. */
  readonly since: number;
}

/** Work that a worker with room has not taken for this long is not taken at all, in seconds. */
const STUCK_AFTER_S = 30;

/**
 * What waits and why. `held` is kept back for its profile's limits; of what is in the queues it says whether a live worker serves
 * it at all (profiles "Pools"). Work that came a moment ago is no alarm.
 */
export const backlogOf = (
  waiting: readonly Waiting[],
  held: readonly Waiting[],
  workers: readonly WorkerInfo[],
  nowS: number,
): Backlog[] => [
  ...waiting.map((work) => {
    const { kind, profile, n, since } = work;
    const waitedS = Math.max(0, nowS - since);
    const serving = workers.filter(
      ({ queues, profiles, draining }) =>
        !draining && queues.includes(kind) && (profiles === null || profiles.includes(profile)),
    );
    const about = `${n === 1 ? "A job waits" : `${n} jobs wait`}, the oldest for ${Math.round(waitedS)} s`;
    const base = { ...baseOf(work), waited_s: waitedS };
    if (serving.length === 0)
      return {
        ...base,
        reason: "no_worker" as const,
        alarm: waitedS >= WORKER_SILENT_S,
        message: `No running worker serves "${queueName(kind, profile)}". ${about}.`,
      };
    if (serving.every(({ running, concurrency }) => running >= concurrency))
      return {
        ...base,
        ...{ reason: "busy" as const, alarm: false },
        message: `All workers are busy. ${about}.`,
      };
    const alarm = waitedS >= STUCK_AFTER_S;
    return {
      ...base,
      ...{ reason: alarm ? ("stuck" as const) : ("starting" as const), alarm },
      message: alarm ? `Workers have room and do not take this work. ${about}.` : `${about}.`,
    };
  }),
  ...held.map((work) => ({
    ...baseOf(work),
    ...{ waited_s: Math.max(0, nowS - work.since), reason: "limit" as const, alarm: false },
    message: `Kept back for the limits of the profile "${work.profile}".`,
  })),
];

const baseOf = ({ kind, profile, n }: Waiting): Pick<Backlog, "queue" | "profile" | "jobs"> => ({
  ...{ queue: queueName(kind, profile), profile, jobs: n },
});

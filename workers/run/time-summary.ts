import type { RunRecord } from "../../common/runs/ledger.ts";
import type { SlowTool } from "./call-times.ts";

/** What the log says of a run's end: why it took so long. All in seconds. */
export interface TimeSummary {
  /** Until the run was given to the queue: behind an earlier turn of its session, or by its profile's limits. */
  readonly heldS: number | null;
  /** Until the first worker had it. */
  readonly queuedS: number | null;
  /** Of attempts before this one: lost workers, hand-overs. */
  readonly earlierAttemptsS: number;
  /** From this attempt's claim to its first word. */
  readonly firstOutputS: number | null;
  readonly modelS: number;
  readonly modelCalls: number;
  readonly toolsS: number;
  readonly toolCalls: number;
  readonly slowestTool?: SlowTool;
  /** Model calls that were tried again, by what the provider answered; `unreachable` where it did not. */
  readonly retries?: Readonly<Record<string, number>>;
  readonly retryWaitS: number;
  /** Waiting for the journal, and for the database between the engine's events. */
  readonly journalS: number;
  readonly databaseS: number;
  readonly commitS: number;
  /** What took the most of it. */
  readonly mostly: string;
}

export interface TimeSums {
  readonly claimedAtS: number;
  readonly firstOutputS: number | null;
  readonly model: {
    readonly seconds: number;
    readonly calls: number;
    readonly waitedS: number;
    readonly retries: Readonly<Record<string, number>>;
  };
  readonly tools: { readonly seconds: number; readonly calls: number; readonly slowest: SlowTool | null };
  readonly journalS: number;
  readonly databaseS: number;
  readonly commitS: number;
}

export const summarise = (
  {
    run,
    releasedAt,
  }: Pick<RunRecord, "releasedAt"> & {
    readonly run: Pick<RunRecord["run"], "created_at" | "started_at" | "attempt">;
  },
  sums: TimeSums,
): TimeSummary => {
  const { model, tools } = sums;
  const heldS = between(run.created_at, releasedAt);
  const queuedS = between(releasedAt, run.started_at);
  const earlierS = run.attempt > 1 ? (between(run.started_at, sums.claimedAtS) ?? 0) : 0;
  const parts: Readonly<Record<string, number>> = {
    held: heldS ?? 0,
    queued: queuedS ?? 0,
    "earlier attempts": earlierS,
    model: model.seconds,
    tools: tools.seconds,
    retries: model.waitedS,
    journal: sums.journalS,
    database: sums.databaseS,
    commit: sums.commitS,
  };
  const [mostly] = Object.entries(parts).reduce((most, part) => (part[1] > most[1] ? part : most));
  return {
    heldS: round(heldS),
    queuedS: round(queuedS),
    earlierAttemptsS: round(earlierS),
    firstOutputS: round(sums.firstOutputS),
    modelS: round(model.seconds),
    modelCalls: model.calls,
    toolsS: round(tools.seconds),
    toolCalls: tools.calls,
    ...(tools.slowest === null
      ? {}
      : { slowestTool: { ...tools.slowest, seconds: round(tools.slowest.seconds) } }),
    ...(Object.keys(model.retries).length === 0 ? {} : { retries: model.retries }),
    retryWaitS: round(model.waitedS),
    journalS: round(sums.journalS),
    databaseS: round(sums.databaseS),
    commitS: round(sums.commitS),
    mostly,
  };
};

/** Null where one of them is not known; a clock that was set back makes nothing negative. */
const between = (from: number | null, to: number | null): number | null =>
  from === null || to === null ? null : Math.max(0, to - from);

/** To the millisecond. */
const round = <T extends number | null>(seconds: T): T =>
  (seconds === null ? null : Math.round(seconds * 1000) / 1000) as T;

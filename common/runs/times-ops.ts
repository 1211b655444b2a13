import type Database from "better-sqlite3";
import type { TerminalStatus } from "../contracts/run.ts";
import { type RunStage, STAGE_BOUNDS_S, type StageCount } from "./stages.ts";

/** When what happened to a run, in epoch seconds; null: it did not, or nobody knows. */
export interface RunMoments {
  readonly createdAt: number;
  readonly releasedAt: number | null;
  readonly claimedAt: number | null;
  readonly firstOutputAt: number | null;
  readonly endedAt: number;
}

/**
 * Counts how long the stages of a run took. Used inside the transaction that ends it, so each run is counted exactly once, whichever
 * process ended it and however many serve the counts.
 */
export const createRunTimes = (db: Database.Database) => {
  const add = db.prepare<[RunStage, TerminalStatus, number, number]>(
    `insert into run_times (stage, outcome, le, n, seconds) values (?, ?, ?, 1, ?)
     on conflict (stage, outcome, le) do update set n = n + 1, seconds = seconds + excluded.seconds`,
  );
  return (outcome: TerminalStatus, moments: RunMoments): void => {
    for (const [stage, seconds] of stagesOf(moments))
      add.run(stage, outcome, STAGE_BOUNDS_S.find((bound) => seconds <= bound) ?? Infinity, seconds);
  };
};

export const createRunTimesReadOps = (db: Database.Database) => {
  const all = db.prepare<[], StageCount>("select stage, outcome, le, n, seconds from run_times order by le");
  return {
    /** Runs by stage, outcome and bucket, the smallest bucket first; each counted in one bucket. */
    runTimes: (): StageCount[] => all.all(),
  };
};

const stagesOf = (at: RunMoments): readonly (readonly [RunStage, number])[] =>
  (
    [
      ["held", at.createdAt, at.releasedAt],
      ["queued", at.releasedAt, at.claimedAt],
      ["first_output", at.claimedAt, at.firstOutputAt],
      ["output", at.firstOutputAt, at.endedAt],
      ["total", at.createdAt, at.endedAt],
    ] as const
  ).flatMap(([stage, from, to]) =>
    // A clock that was set back must not take seconds away from the sum.
    from === null || to === null ? [] : [[stage, Math.max(0, to - from)] as const],
  );

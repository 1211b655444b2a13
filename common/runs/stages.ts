import type { TerminalStatus } from "../contracts/run.ts";

/**
 * Where a run's time goes: `held` from its acceptance until it is given to the queue (behind an earlier turn, or by its profile's
 * limits), `queued` until a worker has it, `first_output` until the first word, `output` until its end; `total` is all of it.
 */
export const RUN_STAGES = ["held", "queued", "first_output", "output", "total"] as const;
export type RunStage = (typeof RUN_STAGES)[number];

/** Upper bounds of the buckets, in seconds; a last one takes the rest. */
export const STAGE_BOUNDS_S = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600,
] as const;

/** Ended runs whose stage took at most `le` seconds, and more than the next smaller bound. */
export interface StageCount {
  readonly stage: RunStage;
  readonly outcome: TerminalStatus;
  readonly le: number;
  readonly n: number;
  /** Of all of them together. */
  readonly seconds: number;
}

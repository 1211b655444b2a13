/** What a task of maintenance is given. */
export interface Pass {
  /** How far the last pass that went well had come; null: there was none, or the task has no places. */
  readonly mark: number | null;
  /** Aborts when the worker hands its work back, when another one has taken over, and at the deadline. */
  readonly signal: AbortSignal;
  /** So much time is over that the rest is left to the next pass. */
  isOver(): boolean;
}

export interface Passed {
  /** How many things were done. */
  readonly done: number;
  /** How far it came; null: as before. */
  readonly mark?: number | null;
  /** What somebody who looks for a cause should know; goes into the log. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/**
 * One task. It works in small batches, looks at the signal between them, and is harmless when it is done twice, at the same time, too:
 * leases keep that rare, not impossible.
 */
export type Task = (pass: Pass) => Promise<Passed>;

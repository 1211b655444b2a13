import { createHistogram } from "node:perf_hooks";

/** Microseconds. There is no time waited for the lock: it is free or refused. */
export interface HoldStatistics {
  readonly holds: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
}

/** Collects how long a lock was held (P-8), in bounded memory. */
export const createHoldTimes = (): { observe(seconds: number): void; statistics(): HoldStatistics } => {
  const histogram = createHistogram();
  const us = (nanoseconds: number): number => (histogram.count === 0 ? 0 : nanoseconds / 1000);
  return {
    observe: (seconds) => histogram.record(Math.max(1, Math.round(seconds * 1e9))),
    statistics: () => ({
      holds: histogram.count,
      p50Us: us(histogram.percentile(50)),
      p99Us: us(histogram.percentile(99)),
      maxUs: us(histogram.max),
    }),
  };
};

import type { Measure } from "./bench.ts";
import { percentile } from "./numbers.ts";

/** Milliseconds of every round, sorted. */
export type Times = Float64Array;

const WARM_UP = 5;

/** Runs `work` a few times unmeasured, then `rounds` times. */
export const timesOf = async (rounds: number, work: () => unknown): Promise<Times> => {
  const times = new Float64Array(rounds);
  for (let round = -WARM_UP; round < rounds; round++) {
    const from = performance.now();
    await work();
    if (round >= 0) times[round] = performance.now() - from;
  }
  return times.sort();
};

/** One row for p50 and one for a high percentile, each beside the raw limit's. */
export const timed = (
  name: string,
  talaria: Times,
  rawName: string,
  raw: Times,
  high: 95 | 99 = 99,
): readonly Measure[] =>
  ([50, high] as const).map((p) => ({
    case: `${name}, p${p}`,
    unit: "ms",
    better: "lower",
    talaria: percentile(talaria, p),
    raw: [{ name: rawName, value: percentile(raw, p) }],
  }));

export const rate = (
  name: string,
  unit: string,
  talaria: number,
  rawName: string,
  raw: number,
  details: Readonly<Record<string, unknown>> = {},
): Measure => ({
  case: name,
  unit,
  better: "higher",
  talaria,
  raw: [{ name: rawName, value: raw }],
  details,
});

/** A figure that is had once. */
export const once = (
  name: string,
  unit: string,
  talaria: number,
  rawName: string,
  raw: number,
  details: Readonly<Record<string, unknown>> = {},
): Measure => ({ ...rate(name, unit, talaria, rawName, raw, details), better: "lower" });

/** Asks every few milliseconds until the answer is true; how long that took. */
export const until = async (ask: () => Promise<boolean>, limitMs = 300_000): Promise<number> => {
  const from = performance.now();
  while (!(await ask())) {
    if (performance.now() - from > limitMs) throw new Error("it did not happen in time");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return performance.now() - from;
};

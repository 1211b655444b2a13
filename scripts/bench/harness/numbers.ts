/** The `p`-th percentile (0 to 100) of `values`, which are sorted in place; nearest rank. NaN when there are none. */
export const percentile = (values: Float64Array, p: number): number => {
  values.sort();
  return (
    values[Math.min(values.length - 1, Math.max(0, Math.ceil((p / 100) * values.length) - 1))] ?? Number.NaN
  );
};

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
export const seededRandom = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};

/** The machine's monotonic clock in microseconds: the one that the model server stamps its tokens with. */
export const monotonicUs = (): number => ORIGIN_US + performance.now() * 1000;

const ORIGIN_US = Number(process.hrtime.bigint()) / 1000 - performance.now() * 1000;

/** Runs `work` for 0 … count-1 with at most `lanes` at a time. */
export const inLanes = async (
  count: number,
  lanes: number,
  work: (index: number) => Promise<void>,
): Promise<void> => {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(lanes, count) }, lane));
};

/** How long an answer serves: many pages ask, and one look a second is enough for them. */
const KEEP_MS = 1_000;

/** The answer of `look`, for everybody who asks within a second of it. A failure reaches only who asked before it was known. */
export const kept = <T>(look: () => Promise<T>): (() => Promise<T>) => {
  let last: { readonly at: number; readonly answer: Promise<T> } | null = null;
  return () => {
    const at = performance.now();
    if (last !== null && at - last.at < KEEP_MS) return last.answer;
    const mine = { at, answer: look() };
    last = mine;
    mine.answer.catch(() => {
      // A slow look may fail when a newer one has answered already.
      if (last === mine) last = null;
    });
    return mine.answer;
  };
};

/** One `look` at a time: who asks while it is under way gets its answer. Nothing is kept, so nothing is older than its question. */
export const shared = <T>(look: () => Promise<T>): (() => Promise<T>) => {
  let underWay: Promise<T> | null = null;
  return () => {
    underWay ??= look().finally(() => {
      underWay = null;
    });
    return underWay;
  };
};

import type { Pairs } from "./pairs.ts";

/**
 * Tells for a store row that stands before everything local whether it may be shown (R18): only if it is not older than
 * the first local row, because the local copy may be a window. Clocks of one writer are compared: the head's pair if it
 * has one, else the head; if nothing is paired, the first local row with a time stands in for a head without.
 */
export const createWindowTest = (pairs: Pairs): ((store: number) => boolean) => {
  const head = headTime(pairs);
  return (store) => {
    const time = pairs.stores[store]?.time ?? null;
    return pairs.locals.length === 0 || (head !== null && time !== null && time >= head);
  };
};

const headTime = (pairs: Pairs): number | null => {
  const paired = pairs.storeOf(0);
  if (paired !== null) return pairs.stores[paired]?.time ?? null;
  const own = pairs.locals[0]?.time ?? null;
  if (own !== null || pairs.size > 0) return own;
  return pairs.locals.find((row) => row.time !== null)?.time ?? null;
};

import type { Facts } from "./facts.ts";
import type { Pairs } from "./pairs.ts";
import { askedUnder, storedUnder } from "./wildcards.ts";

/** Local rows that agree with a store row in role, calls, content and ids; found without comparing row by row. */
export interface Candidates {
  /** Lists that together hold every agreeing local row, and few others. */
  listsFor(store: Facts): readonly CandidateList[];
}

/**
 * An ordered list of local positions in which taken rows cost nothing: each search jumps over them. Order is by time and
 * then position (`byTime`) or by position alone.
 */
export interface CandidateList {
  readonly length: number;
  /** The local position at a place of this list. */
  localAt(place: number): number;
  /** First place >= `place` that holds a free row, or -1. */
  freeFrom(place: number): number;
  /** Last place <= `place` that holds a free row, or -1. */
  freeUpTo(place: number): number;
  /** First place that does not lie before `value` in this list's order (time or position). */
  placeOf(value: number): number;
}

export type Order = "time" | "position";

export interface CandidateOptions {
  readonly order: Order;
  readonly filter?: (row: Facts) => boolean;
  /** True where times may differ: then rows with unequal row ids never pair (R3) and need not be looked at. */
  readonly byRowId?: boolean;
}

/** Indexes the free local rows that `filter` lets through. */
export const createCandidates = (
  pairs: Pairs,
  { order, filter = () => true, byRowId = false }: CandidateOptions,
): Candidates => {
  const idsOf = sharedIds(pairs, byRowId);
  const places = new Map<string, number[]>();
  pairs.locals.forEach((row, position) => {
    if (pairs.storeOf(position) !== null || !filter(row)) return;
    for (const key of row.keys)
      for (const form of storedUnder(key, idsOf(row))) {
        const list = places.get(form);
        if (list === undefined) places.set(form, [position]);
        else list.push(position);
      }
  });
  const orderOf = (position: number): number =>
    order === "position" ? position : (pairs.locals[position]?.time ?? 0);
  const lists = new Map<string, CandidateList>();
  const listFor = (form: string): readonly CandidateList[] => {
    const positions = places.get(form);
    if (positions === undefined) return [];
    const known = lists.get(form);
    if (known !== undefined) return [known];
    if (order === "time") positions.sort((a, b) => orderOf(a) - orderOf(b) || a - b);
    const list = createList(positions, orderOf, (position) => pairs.storeOf(position) === null);
    lists.set(form, list);
    return [list];
  };
  return {
    listsFor: (store) =>
      store.keys.flatMap((key) => askedUnder(key, idsOf(store)).flatMap((form) => listFor(form))),
  };
};

/** The ids worth indexing: those that rows of both sides carry; tool rows have their call id besides. */
export const sharedIds = (pairs: Pairs, byRowId: boolean): ((row: Facts) => readonly (string | null)[]) => {
  const both = (idOf: (row: Facts) => string | null): boolean =>
    pairs.locals.some((row) => idOf(row) !== null) && pairs.stores.some((row) => idOf(row) !== null);
  const used = [(row: Facts) => row.uid, (row: Facts) => row.platformId].filter(both);
  if (byRowId && both((row) => row.rowId)) used.push((row) => row.rowId);
  return (row) => [...used.map((idOf) => idOf(row)), ...(row.role === "tool" ? [row.toolCallId] : [])];
};

const createList = (
  positions: readonly number[],
  orderOf: (position: number) => number,
  isFree: (position: number) => boolean,
): CandidateList => {
  const { length } = positions;
  const localAt = (place: number): number => positions[place] ?? -1;
  const isFreeAt = (place: number): boolean => isFree(localAt(place));
  const up = createJumps(length, 1, isFreeAt);
  const down = createJumps(length, -1, isFreeAt);
  return {
    length,
    localAt,
    freeFrom: (place) => up(Math.max(place, 0)),
    freeUpTo: (place) => down(Math.min(place, length - 1)),
    placeOf(value) {
      let [low, high] = [0, length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (orderOf(localAt(middle)) < value) low = middle + 1;
        else high = middle;
      }
      return low;
    },
  };
};

/** Searches in one direction for a free place; places seen taken are jumped over from then on (rows never get free again). */
export const createJumps = (
  length: number,
  step: 1 | -1,
  isFreeAt: (place: number) => boolean,
): ((from: number) => number) => {
  const next = Int32Array.from({ length }, (_, place) => place);
  return (from) => {
    if (from < 0 || from >= length) return -1;
    let place = from;
    while (place >= 0 && place < length) {
      const jump = next[place] ?? place;
      if (jump !== place) place = jump;
      else if (isFreeAt(place)) break;
      else place += step;
    }
    for (let seen = from; seen !== place && seen >= 0 && seen < length; ) {
      const after = next[seen] ?? seen;
      next[seen] = place;
      seen = after === seen ? seen + step : after;
    }
    return place >= 0 && place < length ? place : -1;
  };
};

import { type CandidateList, createCandidates } from "./candidates.ts";
import { isDisplayable } from "./display.ts";
import type { Facts } from "./facts.ts";
import { mayPair } from "./identity.ts";
import type { Pairs } from "./pairs.ts";

/** Two clocks of one message differ by at most this many seconds (R6). */
export const SAME_MOMENT_SECONDS = 2;

/** Phase 3: compatible rows with equal times, then compatible rows at most two seconds apart, the nearest first (R6). */
export const pairByTime = (pairs: Pairs): void => {
  for (const reach of [0, SAME_MOMENT_SECONDS]) {
    const candidates = createCandidates(pairs, {
      order: "time",
      filter: (row) => row.time !== null,
      byRowId: reach > 0,
    });
    forFreeStores(pairs, (store, position) => {
      const { time } = store;
      if (time === null) return;
      let best: Near | null = null;
      for (const list of candidates.listsFor(store))
        best = nearer(best, nearest({ list, pairs, store, time, reach }));
      if (best !== null) pairs.join(best.local, position);
    });
  }
};

/** Phase 4: compatible rows of which at least one has no time pair in order (R7). */
export const pairByOrder = (pairs: Pairs): void => {
  const clockless = createCandidates(pairs, { order: "position", filter: (row) => row.time === null });
  const all = pairs.stores.some((row) => row.time === null)
    ? createCandidates(pairs, { order: "position" })
    : clockless;
  let last = -1;
  for (const [position, store] of pairs.stores.entries()) {
    const paired = pairs.localOf(position);
    if (paired !== null) last = paired;
    else if (isDisplayable(store)) {
      const lists = (store.time === null ? all : clockless).listsFor(store);
      const local = firstFrom(lists, last + 1, pairs, store) ?? firstFrom(lists, 0, pairs, store);
      if (local !== null && pairs.join(local, position)) last = local;
    }
  }
};

/** Calls back for each store row that is free and that content may pair: what is not shown pairs by id only (R22). */
export const forFreeStores = (pairs: Pairs, visit: (store: Facts, position: number) => void): void => {
  pairs.stores.forEach((store, position) => {
    if (pairs.localOf(position) === null && isDisplayable(store)) visit(store, position);
  });
};

interface Near {
  readonly local: number;
  readonly distance: number;
}

const nearer = (a: Near | null, b: Near | null): Near | null => {
  if (a === null || b === null) return a ?? b;
  if (a.distance !== b.distance) return a.distance < b.distance ? a : b;
  return a.local <= b.local ? a : b;
};

interface Search {
  readonly list: CandidateList;
  readonly pairs: Pairs;
  readonly store: Facts;
  readonly time: number;
  /** Seconds. */
  readonly reach: number;
}

const nearest = (search: Search): Near | null => {
  const { list, time } = search;
  const from = list.placeOf(time);
  const after = firstAfter(search, from);
  return search.reach === 0 ? after : nearer(after, lastBefore(search, from));
};

const firstAfter = ({ list, pairs, store, time, reach }: Search, from: number): Near | null => {
  for (let place = list.freeFrom(from); place >= 0; place = list.freeFrom(place + 1)) {
    const near = at({ list, pairs, time }, place);
    if (near.distance > reach) return null;
    if (fits(pairs, near.local, store)) return near;
  }
  return null;
};

/** Walks towards the past, one moment at a time; within a moment the row that stands first is taken. */
const lastBefore = ({ list, pairs, store, time, reach }: Search, from: number): Near | null => {
  let place = from > 0 ? list.freeUpTo(from - 1) : -1;
  while (place >= 0) {
    const { distance } = at({ list, pairs, time }, place);
    if (distance > reach) return null;
    const moment = list.placeOf(timeAt(list, pairs, place));
    for (let same = list.freeFrom(moment); same >= 0 && same <= place; same = list.freeFrom(same + 1)) {
      const local = list.localAt(same);
      if (fits(pairs, local, store)) return { local, distance };
    }
    place = moment > 0 ? list.freeUpTo(moment - 1) : -1;
  }
  return null;
};

const at = ({ list, pairs, time }: Pick<Search, "list" | "pairs" | "time">, place: number): Near => ({
  local: list.localAt(place),
  distance: Math.abs(timeAt(list, pairs, place) - time),
});

const timeAt = (list: CandidateList, pairs: Pairs, place: number): number =>
  pairs.locals[list.localAt(place)]?.time ?? 0;

const fits = (pairs: Pairs, local: number, store: Facts): boolean => {
  const row = pairs.locals[local];
  return row !== undefined && mayPair(row, store);
};

const firstFrom = (
  lists: readonly CandidateList[],
  position: number,
  pairs: Pairs,
  store: Facts,
): number | null => {
  let first: number | null = null;
  for (const list of lists)
    for (
      let place = list.freeFrom(list.placeOf(position));
      place >= 0 && (first === null || list.localAt(place) < first);
      place = list.freeFrom(place + 1)
    )
      if (fits(pairs, list.localAt(place), store)) first = list.localAt(place);
  return first;
};

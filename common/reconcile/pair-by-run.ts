import { createCandidates, createJumps, sharedIds } from "./candidates.ts";
import { isDisplayable, isSummary } from "./display.ts";
import type { Facts } from "./facts.ts";
import { isCompatible } from "./identity.ts";
import { SAME_MOMENT_SECONDS } from "./pair-by-content.ts";
import type { Pairs } from "./pairs.ts";
import { askedUnder, storedUnder } from "./wildcards.ts";

/**
 * Phase 5: a restamped copy (R8). Consecutive store rows, each compatible with the next free local row after the
 * previous one, are that copy if there are at least two; one lone far copy is a new message. Rows that earlier phases
 * paired far apart and in order are members; a summary is skipped; a row that is not shown ends the run.
 *
 * "Next" passes over local rows that a store never holds or has collapsed (`isSkippable`): notices, cards, copies.
 */
export const pairByRun = (pairs: Pairs, isSkippable: (local: number) => boolean): void => {
  const free = freeStores(pairs);
  if (free.size === 0) return;
  const walk = createWalk(pairs, isSkippable);
  let run: Run = { members: 0, end: -1, found: [] };
  const close = (): void => {
    if (run.members > 1) for (const [local, store] of run.found) pairs.join(local, store);
    run = { members: 0, end: -1, found: [] };
  };
  for (const [position, store] of pairs.stores.entries()) {
    if (isSummary(store)) continue;
    const far = isDisplayable(store) ? farPair(pairs, position) : null;
    if (far !== null) {
      if (far <= run.end) close();
      run = { members: run.members + 1, end: far, found: run.found };
      continue;
    }
    if (!free.has(position)) {
      close();
      continue;
    }
    let local = run.members === 0 ? null : walk.next(run.end, store);
    if (local === null) {
      close();
      local = walk.start(position, store);
    }
    if (local === null) continue;
    run.found.push([local, position]);
    run = { members: run.members + 1, end: local, found: run.found };
  }
  close();
};

interface Run {
  readonly members: number;
  /** Position of the last local member. */
  readonly end: number;
  /** New pairs, local and store position; joined when the run is accepted. */
  readonly found: [number, number][];
}

const freeStores = (pairs: Pairs): Set<number> => {
  const free = new Set<number>();
  pairs.stores.forEach((store, position) => {
    if (pairs.localOf(position) === null && isDisplayable(store)) free.add(position);
  });
  return free;
};

/** The local position of a pair whose times lie more than two seconds apart, or null. */
const farPair = (pairs: Pairs, store: number): number | null => {
  const local = pairs.localOf(store);
  if (local === null) return null;
  const [a, b] = [pairs.locals[local]?.time ?? null, pairs.stores[store]?.time ?? null];
  return a !== null && b !== null && Math.abs(a - b) > SAME_MOMENT_SECONDS ? local : null;
};

interface Walk {
  /** The next free local row after `end`, if it is compatible. */
  next(end: number, store: Facts): number | null;
  /** Where a run that begins with this free store row may begin: only where its second member fits as well. */
  start(position: number, store: Facts): number | null;
}

const createWalk = (pairs: Pairs, isSkippable: (local: number) => boolean): Walk => {
  const { locals, stores } = pairs;
  const isFree = (local: number): boolean => pairs.storeOf(local) === null;
  const following = createFollowing(locals.length, isFree, isSkippable);
  const single = createCandidates(pairs, { order: "position", byRowId: true });
  const doubles = createDoubles(pairs, following);

  const next = (end: number, store: Facts): number | null =>
    following(end).find((local) => fits(locals[local], store)) ?? null;

  const start = (position: number, store: Facts): number | null => {
    const second = nextShown(stores, position);
    const row = second === null ? undefined : stores[second];
    if (second === null || row === undefined) return null;
    if (pairs.localOf(second) === null) return doubles(store, row);
    const far = farPair(pairs, second);
    if (far === null) return null;
    let best = -1;
    for (const list of single.listsFor(store)) {
      let place = list.freeUpTo(list.placeOf(far) - 1);
      while (place >= 0 && list.localAt(place) > best && !fits(locals[list.localAt(place)], store))
        place = place > 0 ? list.freeUpTo(place - 1) : -1;
      if (place >= 0) best = Math.max(best, list.localAt(place));
    }
    return best < 0 ? null : best;
  };
  return { next, start };
};

const fits = (local: Facts | undefined, store: Facts): boolean =>
  local !== undefined && isCompatible(local, store);

/** Position of the next store row that is no summary; null where nothing follows or the follower is not shown. */
const nextShown = (stores: readonly Facts[], position: number): number | null => {
  for (let next = position + 1; next < stores.length; next++) {
    const row = stores[next];
    if (row !== undefined && !isSummary(row)) return isDisplayable(row) ? next : null;
  }
  return null;
};

/** How many skippable local rows "next" looks at one by one. */
const MAX_SKIPPED = 16;

/** The free local rows that count as "next" after a position: skippable ones up to the first that is not. */
const createFollowing = (
  length: number,
  isFree: (local: number) => boolean,
  isSkippable: (local: number) => boolean,
): ((end: number) => readonly number[]) => {
  const nextFree = createJumps(length, 1, isFree);
  return (end) => {
    const found: number[] = [];
    for (
      let local = nextFree(end + 1);
      local >= 0 && found.length <= MAX_SKIPPED;
      local = nextFree(local + 1)
    ) {
      found.push(local);
      if (!isSkippable(local)) break;
    }
    return found;
  };
};

/** Finds the first free local row compatible with one store row whose "next" is compatible with another. */
const createDoubles = (
  pairs: Pairs,
  following: (end: number) => readonly number[],
): ((first: Facts, second: Facts) => number | null) => {
  const { locals } = pairs;
  const idsOf = sharedIds(pairs, true);
  const index = new Map<string, { readonly places: [number, number][]; from: number }>();
  const isFree = (local: number): boolean => pairs.storeOf(local) === null;
  locals.forEach((row, local) => {
    if (!isFree(local)) return;
    for (const next of following(local)) {
      const after = locals[next];
      if (after === undefined) continue;
      const ids = [...idsOf(row), ...idsOf(after)];
      for (const double of doublesOf(row, after).flatMap((key) => storedUnder(key, ids))) {
        const list = index.get(double);
        if (list === undefined) index.set(double, { places: [[local, next]], from: 0 });
        else list.places.push([local, next]);
      }
    }
  });
  const firstOf = (double: string, first: Facts, second: Facts): number | null => {
    const list = index.get(double) ?? { places: [], from: 0 };
    for (let place = list.from; place < list.places.length; place++) {
      const [local, next] = list.places[place] ?? [-1, -1];
      const open = isFree(local) && isFree(next);
      if (!open && place === list.from) list.from++;
      if (open && fits(locals[local], first) && fits(locals[next], second)) return local;
    }
    return null;
  };
  return (first, second) => {
    const ids = [...idsOf(first), ...idsOf(second)];
    let best: number | null = null;
    for (const double of doublesOf(first, second).flatMap((key) => askedUnder(key, ids))) {
      const local = firstOf(double, first, second);
      if (local !== null && (best === null || local < best)) best = local;
    }
    return best;
  };
};

const doublesOf = (first: Facts, second: Facts): readonly string[] =>
  first.keys.flatMap((key) => second.keys.map((after) => `${key}\u0000${after}`));

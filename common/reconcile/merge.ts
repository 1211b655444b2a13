import { type CutOptions, createCutTest } from "./cuts.ts";
import { isDisplayable } from "./display.ts";
import { withoutDuplicates } from "./duplicates.ts";
import { createNaming, type Facts, type Naming, readFacts, type Side } from "./facts.ts";
import { fillFrom } from "./fill.ts";
import { pairByOrder, pairByTime } from "./pair-by-content.ts";
import { pairByIds } from "./pair-by-id.ts";
import { pairByRun } from "./pair-by-run.ts";
import { pairByTurn } from "./pair-by-turn.ts";
import { createPairs, type Pairs } from "./pairs.ts";
import { placeNewRows } from "./place.ts";
import { copyRow, isRow } from "./row.ts";
import { findStopped } from "./stopped.ts";
import { createWindowTest } from "./window.ts";

export interface MergeOptions extends CutOptions {
  /** False if the caller knows that both sides are complete: then older store rows may go in front (R18). */
  readonly window?: boolean | undefined;
}

/** One row of the merged transcript and where it came from: indexes into the caller's lists. */
export interface MergedRow {
  readonly row: Record<string, unknown>;
  readonly sidecar: number | null;
  readonly store: number | null;
}

/**
 * One transcript of a legacy sidecar and its store (c.1, R1-R24): every sidecar row in its order, filled from its pair,
 * plus the store rows judged new. `sidecarRows` in local order, `storeRows` the display set in ascending id. Pure: the
 * inputs stay as they are, the result shares no mutable value with them; values that are no objects are skipped.
 * O(n log n) in the number of rows.
 */
export const merge = (
  sidecarRows: readonly unknown[],
  storeRows: readonly unknown[],
  options: MergeOptions = {},
): Record<string, unknown>[] => mergeWithOrigins(sidecarRows, storeRows, options).map(({ row }) => row);

/** `merge`, telling for each row where it came from: a row with both indexes is one message, ready to be bound (c.4). */
export const mergeWithOrigins = (
  sidecarRows: readonly unknown[],
  storeRows: readonly unknown[],
  options: MergeOptions = {},
): readonly MergedRow[] => {
  const nameOf = createNaming();
  const locals = factsOf(sidecarRows, "sidecar", nameOf);
  const stores = withoutDuplicates(factsOf(storeRows, "store", nameOf), nameOf);
  const pairs = pairRows(locals, stores, nameOf);

  const stopped = findStopped(pairs);
  const isCut = createCutTest(pairs, options);
  const isInWindow = options.window === false ? () => true : createWindowTest(pairs);
  const isShown = stores.map(isDisplayable);
  const gaps = placeNewRows(
    pairs,
    stopped,
    (store, leads) =>
      isShown[store] === true && !stopped.isLate(store) && !isCut(store) && (!leads || isInWindow(store)),
  );

  const merged: MergedRow[] = [];
  gaps.forEach((added, position) => {
    for (const store of added) {
      const facts = stores[store];
      if (facts !== undefined) merged.push({ row: copyRow(facts.row), sidecar: null, store: facts.index });
    }
    const local = locals[position];
    if (local === undefined) return;
    const pair = stores[pairs.storeOf(position) ?? -1];
    const row = pair === undefined ? copyRow(local.row) : fillFrom(local, pair, stopped.isInside(position));
    merged.push({ row, sidecar: local.index, store: pair?.index ?? null });
  });
  return merged;
};

const factsOf = (rows: readonly unknown[], side: Side, nameOf: Naming): readonly Facts[] =>
  rows.flatMap((row, index) => (isRow(row) ? [readFacts(row, index, side, nameOf)] : []));

/** The phases in the order of the contract; a later one sees only what is still free (c.3). */
const pairRows = (locals: readonly Facts[], stores: readonly Facts[], nameOf: Naming): Pairs => {
  const pairs = createPairs(locals, stores);
  if (locals.length === 0 || stores.length === 0) return pairs;
  pairByIds(pairs);
  pairByTime(pairs);
  pairByOrder(pairs);
  let solid: ReadonlySet<Facts> | null = null;
  pairByRun(pairs, (position) => {
    const row = locals[position];
    solid ??= new Set(withoutDuplicates(locals, nameOf));
    return row === undefined || !solid.has(row) || !isDisplayable(row) || isLocalCard(row);
  });
  pairByTurn(pairs);
  return pairs;
};

/** Cards that only a sidecar writes: failures, stops, notices. */
const isLocalCard = ({ row }: Facts): boolean => row._error === true || Boolean(row._statusCard);

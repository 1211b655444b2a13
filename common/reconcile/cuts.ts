import type { Facts } from "./facts.ts";
import { identitiesOfFacts } from "./identity.ts";
import type { Pairs } from "./pairs.ts";
import { canonicalTime } from "./time.ts";

/**
 * A durable mark made by clear, undo, retry or edit (c.7). Give the merge the cuts of the whole conversation; row ids are
 * unique in a store file. Ids up to a tombstone's `maxRowId` are a cut that keeps nothing (c.8).
 */
export interface Cut {
  /** Last row id that stays; 0 for clear. */
  readonly keepThroughRowId: number;
  /** Largest row id of the store when the cut was made: rows in between are out for ever, later ones are new. */
  readonly cutRowId: number;
  /** Identities of the removed rows (`identitiesOf`): later copies of them are out as well. */
  readonly removed?: Iterable<string>;
}

export interface CutOptions {
  readonly cuts?: readonly Cut[] | undefined;
  /** Legacy mark: time of the last kept row, 0 = cleared. */
  readonly truncation_watermark?: unknown;
  /** Legacy mark: time of the kept prefix. */
  readonly truncation_boundary?: unknown;
}

/** Tells for an unpaired store row (by position) whether a person removed it. Paired rows are local and never asked. */
export const createCutTest = (pairs: Pairs, options: CutOptions): ((store: number) => boolean) => {
  const isMarked = createMarkTest(pairs, options);
  const isRemoved = createRecordTest(options.cuts ?? []);
  return (store) => {
    const row = pairs.stores[store];
    return row !== undefined && (isRemoved(row) || isMarked(store, row));
  };
};

const createRecordTest = (cuts: readonly Cut[]): ((row: Facts) => boolean) => {
  const removed = new Set(cuts.flatMap((cut) => [...(cut.removed ?? [])]));
  return (row) => {
    const id = row.rowId === null ? Number.NaN : Number(row.rowId);
    if (cuts.some((cut) => cut.keepThroughRowId < id && id <= cut.cutRowId)) return true;
    return removed.size > 0 && identitiesOfFacts(row).some((identity) => removed.has(identity));
  };
};

/** The table of R20. W = watermark, B = boundary, L = newest local time. */
const createMarkTest = (pairs: Pairs, options: CutOptions): ((position: number, row: Facts) => boolean) => {
  const W = canonicalTime(options.truncation_watermark);
  const B = canonicalTime(options.truncation_boundary);
  if (W === null) return () => false;
  if (pairs.locals.length === 0) return (_, { time }) => !isInEmpty(time, W, B);

  const L = newestTime(pairs.locals);
  const lastPair = pairs.storeOf(pairs.locals.length - 1);
  const edited = B !== null && B < W;
  return (position, { time, role }) => {
    if (time === null || time < W) return true;
    const after = lastPair !== null && position > lastPair;
    if (time === W) return role === "user" || !after;
    // An advanced mark trusts the store's order: without that, a row removed by an edit would return as soon as a
    // merged answer makes the local tail newer than the mark (P2, P8).
    const advanced = edited && lastPair !== null ? after : L > W;
    return !(time > L && advanced);
  };
};

const isInEmpty = (time: number | null, W: number, B: number | null): boolean => {
  if (W === 0 || time === null) return false;
  return B !== null && B < W ? time <= B || time >= W : time <= W;
};

const newestTime = (rows: readonly Facts[]): number =>
  rows.reduce(
    (newest, { time }) => (time !== null && time > newest ? time : newest),
    Number.NEGATIVE_INFINITY,
  );

import { identitiesOf } from "../../reconcile/identity.ts";
import type { Hidden } from "./port.ts";
import { type StateRow, toMergeRow } from "./rows.ts";

/** Row ids between two bounds that are no part of it. */
export interface Span {
  readonly above: number;
  readonly below: number;
}

/** The rows that a person removed, ready to be asked about. */
export interface HiddenRows {
  /** What may be seen below an id, newest first: queries go from span to span and never through a hidden range. */
  spans(below: number): readonly Span[];
  hasId(rowId: number): boolean;
  /** True for a copy of a removed row. `whole` reads a row whose text was cut, where the text has to be compared. */
  hasCopy(row: StateRow, whole: () => StateRow): boolean;
  /** Where copies of removed rows can be: under these logical ids and at these times (null: without a time). */
  readonly uids: ReadonlySet<string>;
  readonly times: ReadonlySet<number | null>;
}

export const createHiddenRows = (hidden: Hidden | undefined): HiddenRows => {
  if (hidden === undefined) return NOTHING;
  const floor = hidden.floor;
  const ranges = merged(hidden.ranges);
  const removed = new Set(hidden.removed);
  const { uids, times } = tracesOf(hidden.removed);
  return {
    spans: (below) => spansBetween(ranges, floor, below),
    hasId: (rowId) => rowId <= floor || ranges.some(([from, to]) => from < rowId && rowId <= to),
    hasCopy(row, whole) {
      if (removed.size === 0) return false;
      const uid = row.uid?.trim();
      if (uid !== undefined && uids.has(uid)) return true;
      if (!times.has(row.createdAt)) return false;
      const complete = row.fullBytes === undefined ? row : whole();
      return identitiesOf(toMergeRow(complete)).some((identity) => removed.has(identity));
    },
    uids,
    times,
  };
};

const LOWEST = Number.MIN_SAFE_INTEGER;

const NOTHING: HiddenRows = {
  spans: (below) => [{ above: LOWEST, below }],
  hasId: () => false,
  hasCopy: () => false,
  uids: new Set(),
  times: new Set(),
};

/** Oldest first, without overlaps. */
const merged = (ranges: Hidden["ranges"]): readonly (readonly [number, number])[] => {
  const result: [number, number][] = [];
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    if (from >= to) continue;
    const last = result.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else result.push([from, to]);
  }
  return result;
};

const spansBetween = (
  ranges: readonly (readonly [number, number])[],
  floor: number,
  below: number,
): readonly Span[] => {
  const spans: Span[] = [];
  let top = below;
  const add = (above: number): void => {
    if (Math.max(above, floor) + 1 < top) spans.push({ above: Math.max(above, floor), below: top });
  };
  for (const [from, to] of ranges.toReversed()) {
    if (from + 1 >= top) continue;
    add(to);
    top = from + 1;
  }
  add(LOWEST);
  return spans;
};

/** What identities tell without a comparison of texts (see `identitiesOf`). */
const tracesOf = (
  identities: readonly string[],
): { readonly uids: ReadonlySet<string>; readonly times: ReadonlySet<number | null> } => {
  const uids = new Set<string>();
  const times = new Set<number | null>();
  for (const identity of identities)
    if (identity.startsWith("uid:")) uids.add(identity.slice("uid:".length));
    else if (identity.startsWith("exact:")) {
      const time = timeOf(identity.slice("exact:".length));
      if (time !== undefined) times.add(time);
    }
  return { uids, times };
};

const timeOf = (exact: string): number | null | undefined => {
  try {
    const time: unknown = (JSON.parse(exact) as readonly unknown[])[2];
    return typeof time === "number" || time === null ? time : undefined;
  } catch {
    return undefined;
  }
};

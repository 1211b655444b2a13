import { identitiesOf } from "../../reconcile/identity.ts";
import type { Hidden } from "./port.ts";
import { type StateRow, toMergeRow } from "./rows.ts";

/** Row ids that may be shown: exclusive `above`, inclusive `upTo`. */
export interface Span {
  readonly above: number;
  readonly upTo: number;
}

/** What `hidden` leaves, newest span first: a scan jumps from one to the next instead of reading what a cut took away. */
export const openSpans = ({ ranges, floor }: Hidden = NOTHING): readonly Span[] => {
  const spans: Span[] = [];
  let top = Number.MAX_SAFE_INTEGER;
  const closed = [...ranges].sort((a, b) => b[1] - a[1]);
  for (const [from, to] of closed) {
    if (to < top) spans.push({ above: Math.max(to, floor), upTo: top });
    top = Math.min(top, from);
  }
  spans.push({ above: floor, upTo: top });
  return spans.filter(({ above, upTo }) => upTo > above);
};

/** True for a row that is a copy of one that a person removed. */
export const isRemoved = (hidden: Hidden | undefined): ((row: StateRow) => boolean) => {
  if (hidden === undefined || hidden.removed.length === 0) return () => false;
  const removed = new Set(hidden.removed);
  return (row) => identitiesOf(toMergeRow(row)).some((identity) => removed.has(identity));
};

export const isInSpans = (spans: readonly Span[], id: number): boolean =>
  spans.some(({ above, upTo }) => id > above && id <= upTo);

const NOTHING: Hidden = { ranges: [], removed: [], floor: 0 };

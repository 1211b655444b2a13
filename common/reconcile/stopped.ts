import { isDisplayable } from "./display.ts";
import type { Pairs } from "./pairs.ts";
import { type Turn, turnsOf } from "./turns.ts";

/** Local turns that a person stopped, and the store rows that are their late output (R21). */
export interface Stopped {
  isLate(store: number): boolean;
  /** True for local rows of a stopped turn. */
  isInside(local: number): boolean;
  /** The first position behind the card of the stopped turn that `local` lies in; `local` itself outside of one. */
  behind(local: number): number;
}

/**
 * A turn is stopped if its last assistant row is an `_error` and a `_partial` stands before it. Late are the unpaired
 * store rows after the pair of its prompt up to the next prompt of the store; other turns are not affected.
 */
export const findStopped = (pairs: Pairs): Stopped => {
  const late = new Set<number>();
  const ends = new Map<number, number>();
  let pairedSoFar = -1;
  for (const turn of turnsOf(pairs.locals)) {
    for (let local = turn.start; local < turn.end; local++)
      pairedSoFar = Math.max(pairedSoFar, pairs.storeOf(local) ?? -1);
    const card = stoppedCard(pairs, turn);
    if (card === null) continue;
    for (let local = turn.start; local < turn.end; local++) ends.set(local, card + 1);
    const prompt = turn.prompt === null ? null : pairs.storeOf(turn.prompt);
    addLate(pairs, prompt ?? pairedSoFar, late);
  }
  return {
    isLate: (store) => late.has(store),
    isInside: (local) => ends.has(local),
    behind: (local) => Math.max(local, ends.get(local) ?? local),
  };
};

const stoppedCard = (pairs: Pairs, { start, end }: Turn): number | null => {
  let last = -1;
  let partial = -1;
  for (let local = start; local < end; local++) {
    const row = pairs.locals[local];
    if (row?.role !== "assistant") continue;
    last = local;
    if (row.row._partial === true && partial < 0) partial = local;
  }
  return last > partial && partial >= 0 && pairs.locals[last]?.row._error === true ? last : null;
};

const addLate = (pairs: Pairs, after: number, late: Set<number>): void => {
  for (let store = after + 1; store < pairs.stores.length; store++) {
    const row = pairs.stores[store];
    if (row === undefined || late.has(store) || (row.role === "user" && isDisplayable(row))) return;
    if (pairs.localOf(store) === null) late.add(store);
  }
};

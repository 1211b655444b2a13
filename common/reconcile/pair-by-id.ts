import type { Facts } from "./facts.ts";
import { isDistinct } from "./identity.ts";
import type { Pairs } from "./pairs.ts";

/**
 * Phases 1 and 2: logical id, row id, generic id (R3), then call ids of assistant rows and the answered call of tool
 * rows (R4). A value pairs only if it is unique among the free rows of either side.
 */
export const pairByIds = (pairs: Pairs): void => {
  for (const idOf of ID_ORDER) pairUnique(pairs, idOf);
};

const ID_ORDER: readonly ((row: Facts) => string | null)[] = [
  (row) => row.uid,
  (row) => row.rowId,
  (row) => row.genericId,
  (row) => (row.role === "assistant" && row.callIds.length > 0 ? JSON.stringify(row.callIds) : null),
  (row) => (row.role === "tool" ? row.toolCallId : null),
];

const pairUnique = (pairs: Pairs, idOf: (row: Facts) => string | null): void => {
  const locals = uniquePositions(pairs.locals, idOf, (position) => pairs.storeOf(position) === null);
  if (locals.size === 0) return;
  const stores = uniquePositions(pairs.stores, idOf, (position) => pairs.localOf(position) === null);
  for (const [id, store] of stores) {
    const local = locals.get(id);
    const [a, b] = [pairs.locals[local ?? -1], pairs.stores[store ?? -1]];
    if (a !== undefined && b !== undefined && a.role === b.role && !isDistinct(a, b))
      pairs.joinById(local ?? -1, store ?? -1);
  }
};

/** Id to the position of the one free row that has it; null where several have it. */
const uniquePositions = (
  rows: readonly Facts[],
  idOf: (row: Facts) => string | null,
  isFree: (position: number) => boolean,
): Map<string, number | null> => {
  const positions = new Map<string, number | null>();
  rows.forEach((row, position) => {
    const id = isFree(position) ? idOf(row) : null;
    if (id !== null) positions.set(id, positions.has(id) ? null : position);
  });
  return positions;
};

import type { Facts } from "./facts.ts";
import { mayPair } from "./identity.ts";

/** The one-to-one relation between the two sides (R9). Positions index the lists given to `createPairs`. */
export interface Pairs {
  readonly locals: readonly Facts[];
  readonly stores: readonly Facts[];
  /** Position of the store row paired with a local row, or null. */
  storeOf(local: number): number | null;
  /** Position of the local row paired with a store row, or null. */
  localOf(store: number): number | null;
  readonly size: number;
  /** Pairs two free rows whose ids and clocks allow it; false if either is taken or they may not pair. */
  join(local: number, store: number): boolean;
  /** Pairs two free rows that an id or a call id names, whatever their content. */
  joinById(local: number, store: number): void;
}

export const createPairs = (locals: readonly Facts[], stores: readonly Facts[]): Pairs => {
  const byLocal = new Int32Array(locals.length).fill(-1);
  const byStore = new Int32Array(stores.length).fill(-1);
  let size = 0;
  const at = (list: Int32Array, index: number): number | null => {
    const value = list[index];
    return value === undefined || value < 0 ? null : value;
  };
  const joinById = (local: number, store: number): void => {
    byLocal[local] = store;
    byStore[store] = local;
    size++;
  };
  return {
    locals,
    stores,
    storeOf: (local) => at(byLocal, local),
    localOf: (store) => at(byStore, store),
    get size() {
      return size;
    },
    join(local, store) {
      const [a, b] = [locals[local], stores[store]];
      if (a === undefined || b === undefined || byLocal[local] !== -1 || byStore[store] !== -1) return false;
      if (!mayPair(a, b)) return false;
      joinById(local, store);
      return true;
    },
    joinById,
  };
};

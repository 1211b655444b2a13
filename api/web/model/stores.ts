import type { StoreInfo } from "../../../common/contracts/http.ts";
import type { StoreState } from "../../../common/contracts/session.ts";

const REASON: Record<Exclude<StoreState, "ok" | "none">, string> = {
  missing: "the file is gone",
  not_a_state_db: "the file is not a state.db",
  corrupt: "the file is damaged",
  locked: "locked by another program",
  unavailable: "it does not answer",
};

/** What stands above a conversation when only half of it may be there; null: all is well. */
export const storeNotice = (state: StoreState): string | null =>
  state === "ok" || state === "none"
    ? null
    : `The shared transcript (state.db) cannot be read right now: ${REASON[state]}. What Talaria itself recorded is shown.`;

/** One sentence for each profile that needs a look. A profile without a file and without sessions is only new. */
export const storeBanner = (stores: readonly StoreInfo[]): readonly string[] => {
  const named = (store: StoreInfo): string => (stores.length > 1 ? ` of “${store.profile}”` : "");
  return stores.flatMap((store) => {
    const { state } = store;
    if (state === "ok" || state === "none")
      return store.newer
        ? [
            `The state.db${named(store)} is of a newer version than this Talaria knows. It is read all the same.`,
          ]
        : [];
    if (state === "missing" && store.sessions === 0) return [];
    return [`The state.db${named(store)} cannot be read: ${REASON[state]}.`];
  });
};

import type { Api } from "../net/http.ts";
import type { Store } from "./store.ts";

const GAP_MS = 10_000;

/** Reads the states of the state.db files after hints, at most once in `GAP_MS`; the last hint is never lost. */
export const createStoreWatch = ({
  api,
  store,
  now,
}: {
  readonly api: Api;
  readonly store: Store;
  readonly now: () => number;
}) => {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let readAt = Number.NEGATIVE_INFINITY;

  const read = async (): Promise<void> => {
    timer = undefined;
    readAt = now();
    try {
      store.dispatch({ type: "stores", stores: (await api.stores()).data });
    } catch {
      // The next hint asks again; what troubles the conversation itself is told there.
    }
  };
  return {
    changed(): void {
      if (timer === undefined) timer = setTimeout(() => void read(), Math.max(0, readAt + GAP_MS - now()));
    },
  };
};

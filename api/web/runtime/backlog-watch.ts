import type { Surroundings } from "../net/event-connection.ts";
import type { Api } from "../net/http.ts";
import type { Store } from "./store.ts";

/** How often a page that somebody sees asks what waits, in milliseconds. */
const ASK_EVERY_MS = 15_000;

/** Keeps what waits for a worker, and why, in the state while somebody looks. Ends with the page. */
export const watchBacklog = ({
  api,
  store,
  surroundings,
}: {
  readonly api: Api;
  readonly store: Store;
  readonly surroundings: Pick<Surroundings, "hidden" | "online">;
}): void => {
  const ask = async (): Promise<void> => {
    if (surroundings.hidden() || !surroundings.online() || store.state().signedOut) return;
    try {
      store.dispatch({ type: "backlog", backlog: (await api.backlog()).data });
    } catch {
      // Nobody knows right now; what troubles the conversation itself is told there.
    }
  };
  setInterval(() => void ask(), ASK_EVERY_MS);
  void ask();
};

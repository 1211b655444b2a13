import type { Api } from "../net/http.ts";
import type { Store } from "./store.ts";

const PAGE = 30;

/** Finds messages for what is typed; answers to older words are dropped by the state. */
export const createMessageSearch = ({ api, store }: { readonly api: Api; readonly store: Store }) => {
  let loadingMore = false;
  return {
    async find(): Promise<void> {
      const { query, profile, phase } = store.state().search;
      if (phase === "idle") return;
      try {
        const page = await api.search({ q: query, limit: PAGE, ...within(profile) });
        store.dispatch({ type: "search_loaded", query, profile, page, append: false });
      } catch (error) {
        store.dispatch({ type: "search_failed", query, profile });
        store.report("The messages could not be searched.", error);
      }
    },
    async more(): Promise<void> {
      const { query, profile, nextCursor } = store.state().search;
      if (nextCursor === null || loadingMore) return;
      loadingMore = true;
      try {
        const page = await api.search({ q: query, limit: PAGE, cursor: nextCursor, ...within(profile) });
        store.dispatch({ type: "search_loaded", query, profile, page, append: true });
      } catch (error) {
        store.report("More messages could not be read.", error);
      } finally {
        loadingMore = false;
      }
    },
  };
};

const within = (profile: string | null): { profile?: string } => (profile === null ? {} : { profile });

import type { Api } from "../net/http.ts";
import type { Store } from "./store.ts";

const PAGE = 50;
const MAX_LIMIT = 200;
/** Hints come in swarms; one read answers a swarm. */
const HINT_MS = 250;

/** Keeps the list of sessions fresh: a hint says that something changed, the list is then read again. */
export const createSessionList = ({ api, store }: { readonly api: Api; readonly store: Store }) => {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let reading = false;
  let again = false;

  const read = async (): Promise<void> => {
    timer = undefined;
    if (reading) {
      again = true;
      return;
    }
    reading = true;
    const { query, items } = store.state().list;
    const limit = Math.min(MAX_LIMIT, Math.max(PAGE, items.length));
    try {
      const page = await api.sessions({ q: query, limit });
      store.dispatch({
        type: "list_loaded",
        query,
        items: page.data,
        nextCursor: page.next_cursor,
        append: false,
      });
    } catch (error) {
      const first = store.state().list.phase === "loading";
      store.dispatch({ type: "list_failed" });
      if (first) store.report("The sessions could not be read.", error);
    } finally {
      reading = false;
      if (again) {
        again = false;
        changed();
      }
    }
  };

  const changed = (): void => {
    timer ??= setTimeout(() => void read(), HINT_MS);
  };

  return {
    changed,
    search(query: string): void {
      store.dispatch({ type: "list_query", query });
      clearTimeout(timer);
      timer = setTimeout(() => void read(), HINT_MS);
    },
    loadMore(): void {
      const { query, nextCursor: cursor } = store.state().list;
      if (cursor === null || reading) return;
      reading = true;
      api
        .sessions({ q: query, cursor, limit: PAGE })
        .then(
          ({ data, next_cursor }) =>
            store.dispatch({
              type: "list_loaded",
              query,
              items: data,
              nextCursor: next_cursor,
              append: true,
            }),
          (error: unknown) => store.report("More sessions could not be read.", error),
        )
        .finally(() => {
          reading = false;
        });
    },
  };
};

import type { SessionFilter } from "../model/session-list.ts";
import type { Api, SessionsQuery } from "../net/http.ts";
import type { Store } from "./store.ts";

const PAGE = 50;
const MAX_LIMIT = 200;
/** Hints come in swarms; one read answers a swarm. */
const HINT_MS = 250;

/** Keeps the list of sessions fresh: a hint says that something changed, the list is then read again. */
export const createSessionList = ({
  api,
  store,
  search,
}: {
  readonly api: Api;
  readonly store: Store;
  readonly search: { find(): Promise<void>; more(): Promise<void> };
}) => {
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
    const { query, filter, items } = store.state().list;
    const limit = Math.min(MAX_LIMIT, Math.max(PAGE, items.length));
    try {
      const page = await api.sessions({ q: query, limit, ...queryOf(filter) });
      store.dispatch({
        type: "list_loaded",
        query,
        filter,
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
      timer = setTimeout(() => {
        void read();
        void search.find();
      }, HINT_MS);
    },
    filter(filter: SessionFilter): void {
      const { search: before } = store.state();
      store.dispatch({ type: "list_filter", filter });
      clearTimeout(timer);
      void read();
      if (store.state().search !== before) void search.find();
    },
    loadMore(): void {
      if (store.state().search.phase !== "idle") void search.more();
      const { query, filter, nextCursor: cursor } = store.state().list;
      if (cursor === null || reading) return;
      reading = true;
      api
        .sessions({ q: query, cursor, limit: PAGE, ...queryOf(filter) })
        .then(
          ({ data, next_cursor }) =>
            store.dispatch({
              type: "list_loaded",
              query,
              filter,
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

const queryOf = ({
  archived,
  source,
  profile,
}: SessionFilter): Pick<SessionsQuery, "archived" | "source" | "profile"> => ({
  archived: archived ? "true" : "false",
  ...(source === null ? {} : { source }),
  ...(profile === null ? {} : { profile }),
});

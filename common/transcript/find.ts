import type { SearchAnswer, SearchHit } from "../contracts/http.ts";
import type { Session } from "../contracts/session.ts";
import type { SearchHit as Hit, SearchOps } from "../search/port.ts";
import { sessionFromRow } from "../sessions/rows.ts";
import type { Async } from "../sqlite/client.ts";
import type { ReadOps } from "../talaria-db/module.ts";
import { createKnown, storeMessageId } from "./messages.ts";
import { createLook, type Sight } from "./sight.ts";
import { type StateStores, valueIn } from "./store.ts";

export interface Finder {
  /** Titles that hold the text as typed, then messages with all its words, newest first; what a person removed is not found. */
  search(query: {
    readonly q: string;
    readonly profile?: string | undefined;
    readonly limit: number;
    readonly cursor?: string | undefined;
  }): Promise<SearchAnswer>;
  /** Ids of sessions with matching messages, for the list. */
  sessionsMatching(q: string, profile: string | undefined): Promise<readonly string[]>;
}

export interface FinderDeps {
  readonly read: Async<ReadOps>;
  readonly stores: StateStores;
  readonly search: Async<SearchOps>;
  readonly profiles: () => Promise<readonly string[]>;
}

const MAX_TITLES = 10;
const MAX_SESSIONS = 500;

export const createFinder = ({ read, stores, search, profiles }: FinderDeps): Finder => {
  const look = createLook(read, stores);

  const paths = async (): Promise<Record<string, string>> =>
    Object.fromEntries(
      await Promise.all((await profiles()).map(async (name) => [name, await stores.pathOf(name)] as const)),
    );

  /** Sessions of the hits, in two questions whatever their number: a hit names a segment, or a session of ours. */
  const ownersOf = async (hits: readonly Hit[]): Promise<(hit: Hit) => string | undefined> => {
    const owners = new Map<string, string>();
    const rows = hits.filter(({ messageId }) => messageId === null);
    for (const [profile, some] of Map.groupBy(rows, (hit) => hit.profile)) {
      const ids = [...new Set(some.map(({ sessionId }) => sessionId))];
      for (const { storeId, id } of await read.ownersOf(profile, ids))
        owners.set(`${profile} ${storeId}`, id);
      // Later segments are known by the first one.
      const later = ids.filter((id) => !owners.has(`${profile} ${id}`));
      const roots = await rootsOf(profile, later);
      const found = await read.ownersOf(profile, [...new Set(roots.values())]);
      const byRoot = new Map(found.map(({ storeId, id }) => [storeId, id]));
      for (const [segment, root] of roots) {
        const owner = byRoot.get(root);
        if (owner !== undefined) owners.set(`${profile} ${segment}`, owner);
      }
    }
    return (hit) => (hit.messageId === null ? owners.get(`${hit.profile} ${hit.sessionId}`) : hit.sessionId);
  };

  const rootsOf = async (profile: string, ids: readonly string[]): Promise<Map<string, string>> => {
    if (ids.length === 0) return new Map();
    const path = await stores.pathOf(profile);
    const chains = await Promise.all(
      ids.map(async (id) => [id, valueIn(await stores.call.segments(path, id))] as const),
    );
    return new Map(chains.flatMap(([id, chain]) => (chain === null ? [] : [[id, chain.rootId]])));
  };

  const sights = async (hits: readonly Hit[]): Promise<(hit: Hit) => Sight | undefined> => {
    const ownerOf = await ownersOf(hits);
    const ids = new Set(hits.flatMap((hit) => ownerOf(hit) ?? []));
    const known = new Map<string, Sight>();
    await Promise.all(
      [...ids].map(async (id) => {
        const sight = await look(id).catch(() => null);
        if (sight !== null) known.set(id, sight);
      }),
    );
    return (hit) => known.get(ownerOf(hit) ?? "");
  };

  /** Null where a person removed the message, or an imported one stands for its row and is gone. */
  const messageIdOf = async (hit: Hit, { row, store, isOurs }: Sight): Promise<string | null> => {
    if (hit.messageId !== null)
      return (await read.findMessage(row.id, hit.messageId)) === null ? null : hit.messageId;
    const rowId = hit.rowId ?? 0;
    if (store === null) return null;
    const bound = isOurs ? await read.boundMessages(row.id, [rowId], hit.uid === null ? [] : [hit.uid]) : [];
    const known = createKnown(bound).of({ rowId, uid: hit.uid });
    const { ranges, floor } = store.hidden;
    if (ranges.some(([from, to]) => rowId > from && rowId <= to)) return null;
    if (known !== undefined) return known.id;
    return rowId <= floor ? null : storeMessageId({ uid: hit.uid, position: rowId });
  };

  const titles = async (q: string, profile: string | undefined): Promise<SearchHit[]> => {
    const { data } = await read.listSessions({ q, profile, limit: MAX_TITLES });
    return data.map((session) => ({
      session,
      message_id: null,
      role: null,
      snippet: session.title ?? "",
      matches: placesOf(session.title ?? "", q),
      created_at: session.updated_at,
    }));
  };

  return {
    async search({ q, profile, limit, cursor }) {
      const found = await search.search({
        ...{ q, profile, limit, paths: await paths() },
        ...(cursor === undefined ? {} : { cursor }),
      });
      const sightOf = await sights(found.hits);
      const named = await Promise.all(
        found.hits.map(async (hit): Promise<SearchHit[]> => {
          const sight = sightOf(hit);
          const messageId = sight === undefined ? null : await messageIdOf(hit, sight);
          if (sight === undefined || messageId === null) return [];
          return [
            {
              session: sessionFromRow(sight.row),
              message_id: messageId,
              role: roleOf(hit.role),
              snippet: hit.snippet,
              matches: hit.matches.map(([from, to]) => [from, to]),
              created_at: hit.createdAt,
            },
          ];
        }),
      );
      const data = [...(cursor === undefined ? await titles(q, profile) : []), ...named.flat()];
      const stores = await read.listStores();
      return { data, next_cursor: found.next, indexing: stores.some(({ indexed }) => !indexed) };
    },

    async sessionsMatching(q, profile) {
      const { hits } = await search.sessionsMatching({
        q,
        profile,
        limit: MAX_SESSIONS,
        paths: await paths(),
      });
      const ownerOf = await ownersOf(hits);
      return [...new Set(hits.flatMap((hit) => ownerOf(hit) ?? []))];
    },
  };
};

const roleOf = (role: string): NonNullable<Session["last_message"]>["role"] =>
  role === "user" || role === "tool" || role === "notice" ? role : "assistant";

/** Where the query stands in a title, as `like` finds it. */
const placesOf = (title: string, q: string): [number, number][] => {
  const at = title.toLowerCase().indexOf(q.toLowerCase());
  return at < 0 ? [] : [[at, at + q.length]];
};

import { TalariaError } from "../base/errors.ts";
import type { MessagePage } from "../contracts/http.ts";
import type { Message } from "../contracts/message.ts";
import { comparePlaces, END, PENDING, type Place, rowPlace } from "../sessions/places.ts";
import { type MessageRow, messageFromRow } from "../sessions/rows.ts";
import type { Async } from "../sqlite/client.ts";
import { decodePageCursor, encodePageCursor } from "../sqlite/page-cursor.ts";
import type { Answer, DisplayRow, PageQuery, SessionInfo } from "../state-db/read/port.ts";
import type { ReadOps } from "../talaria-db/module.ts";
import { createArriving, createKnown, createWritten, displayed } from "./messages.ts";
import type { Sight, StoreSight } from "./sight.ts";
import type { StateStores } from "./store.ts";

/** A message with where it stands. */
export interface Placed {
  readonly place: Place;
  readonly message: Message;
}

export interface PlacedPage {
  readonly sight: Sight;
  /** Oldest first. */
  readonly items: readonly Placed[];
  readonly hasOlder: boolean;
}

/** Bytes of one text in a page; the rest is read by itself (session-reconciliation e.85). */
export const PAGE_TEXT_BYTES = 262_144;
/** What state.db calls sessions that this program made; rows of others in them have no name of their own. */
export const OWN_SOURCE = "webui";

/**
 * A window of the one transcript: rows of state.db and messages of the sidecar, merged by place. Reads the rows of the page
 * and a few more, whatever the session's length.
 */
export const createPageReader = (
  read: Async<ReadOps>,
  stores: StateStores,
  look: (sessionId: string) => Promise<Sight>,
) => {
  const readPage = async (sight: Sight, query: WindowQuery): Promise<PlacedPage> => {
    const { row, store } = sight;
    const want = query.limit + 1;
    // Before the store: a turn on its way into it is then seen here, or there, or in both, but not in neither.
    const local = sight.isOurs ? await read.localBefore(row.id, query.before, want) : [];
    const [page, tip] = await Promise.all([
      store === null ? [] : storeRows(stores, store, query, want),
      store === null ? null : stores.call.sessionInfo(store.path, store.segments.tipId),
    ]);
    if (page === null) throw new StoreAway();
    const localItems = local.map((message) => ({
      place: placeOf(message),
      message: messageFromRow(message),
    }));
    if (store === null) {
      // A first turn may have gone into the store behind the look, and out of what was read here.
      const now = await look(row.id);
      if (now.state !== "ok" && now.state !== "none") throw new StoreAway();
      return now.store === null ? windowOf(sight, localItems, query.limit) : readPage(now, query);
    }

    const ids = page.map(({ rowId }) => rowId);
    const uids = page.flatMap(({ uid }) => uid ?? []);
    const [bound, sources] = await Promise.all([
      page.length === 0 || !sight.isOurs ? [] : read.boundMessages(row.id, ids, uids),
      sourcesOf(stores, store, { page, tip, owner: row.source }),
    ]);
    const known = createKnown(bound);
    // What was written a moment ago and is not bound yet is known all the same: whose it is must not change with that.
    const arriving = createArriving(local.filter(isPending));
    const storeItems = page.map((line) => ({
      place: rowPlace(line.position),
      message: displayed(line, {
        sessionId: row.id,
        origin: sources.get(line.sessionId) ?? row.source,
        known: known.of(line) ?? arriving(line),
      }),
    }));
    const twice = inStoreAlready(local, page);
    const items = [...storeItems, ...localItems.filter(({ message }) => !twice.has(message.id))].sort(
      (a, b) => comparePlaces(b.place, a.place),
    );
    return windowOf(sight, items, query.limit);
  };
  return readPage;
};

interface WindowQuery {
  readonly before: Place;
  readonly limit: number;
  readonly textBytes?: number;
}

/** The file could be looked at and then not be read: the caller answers without it. */
export class StoreAway extends Error {}

const storeRows = async (
  stores: StateStores,
  { path, segments, hidden }: StoreSight,
  { before, textBytes = PAGE_TEXT_BYTES }: { readonly before: Place; readonly textBytes?: number },
  limit: number,
): Promise<readonly DisplayRow[] | null> => {
  // A message behind a row is younger than the row.
  const bound = comparePlaces(before, rowPlace(before.anchor)) <= 0 ? before.anchor : before.anchor + 1;
  const query: PageQuery = {
    limit,
    contentLimit: textBytes,
    hidden,
    ...(bound > PENDING ? {} : { before: bound }),
  };
  const page = await stores.call.displayPage(path, segments.ids, query);
  return page.state === "ok" ? page.value.rows : null;
};

const placeOf = ({ anchor, turn, idx }: MessageRow): Place => ({ anchor: anchor ?? PENDING, turn, idx });

/** Newest first in, oldest first out. */
const windowOf = (sight: Sight, newestFirst: readonly Placed[], limit: number): PlacedPage => ({
  sight,
  items: newestFirst.slice(0, limit).reverse(),
  hasOlder: newestFirst.length > limit,
});

const isPending = ({ anchor, role }: MessageRow): boolean => anchor === PENDING && role !== "notice";

/** Turns that were written into state.db a moment ago and are not bound yet would show twice. */
const inStoreAlready = (local: readonly MessageRow[], page: readonly DisplayRow[]): ReadonlySet<string> => {
  const pending = local.filter(isPending);
  if (pending.length === 0) return new Set();
  return new Set(pending.filter(createWritten(page)).map(({ id }) => id));
};

/** The writer of each segment of a page; rows of others in a session of ours have no name but this. */
const sourcesOf = async (
  stores: StateStores,
  { path, segments }: StoreSight,
  {
    page,
    tip,
    owner,
  }: {
    readonly page: readonly DisplayRow[];
    /** Asked for together with the page: most are of the tip alone. */
    readonly tip: Answer<SessionInfo | null> | null;
    readonly owner: string;
  },
): Promise<ReadonlyMap<string, string>> => {
  const found = new Map<string, string>();
  for (const id of new Set(page.map(({ sessionId }) => sessionId))) {
    const info = id === segments.tipId ? tip : await stores.call.sessionInfo(path, id);
    const source = info?.state === "ok" ? info.value?.source : undefined;
    if (source !== undefined)
      found.set(id, source === OWN_SOURCE && owner === "talaria" ? "external" : source);
  }
  return found;
};

/** The page's cursor is the place of its oldest message. */
export const encodePlace = ({ anchor, turn, idx }: Place): string => encodePageCursor([anchor, turn, idx]);

export const decodePlace = (cursor: string | undefined): Place => {
  if (cursor === undefined) return END;
  const [anchor, turn, idx] = decodePageCursor(cursor, ["number", "number", "number"]);
  if (typeof anchor !== "number" || typeof turn !== "number" || typeof idx !== "number")
    throw new TalariaError("invalid_request", "the cursor is none of this list");
  return { anchor, turn, idx };
};

export const toAnswer = ({ sight, items, hasOlder }: PlacedPage): Omit<MessagePage, "recaps"> => {
  const oldest = items[0];
  return {
    data: items.map(({ message }) => message),
    next_cursor: hasOlder && oldest !== undefined ? encodePlace(oldest.place) : null,
    revision: sight.row.revision,
    store: sight.state,
  };
};

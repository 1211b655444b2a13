import {
  comparePlaces,
  END,
  isStored,
  type Place,
  placeBehind,
  rowPlace,
  START,
} from "../sessions/places.ts";
import type { Placed, PlacedPage } from "./page.ts";
import { isAwayForNow, type Sight, type StoreSight, storeUnavailable } from "./sight.ts";
import type { StateStores } from "./store.ts";

export interface ForwardDeps {
  readonly stores: StateStores;
  readonly look: (sessionId: string) => Promise<Sight>;
  readonly isMovedSince: (sight: Sight) => Promise<boolean>;
  readonly pageAt: (sight: Sight, before: Place, limit: number, textBytes?: number) => Promise<PlacedPage>;
  readonly newestFirst: (sight: Sight, textBytes?: number) => AsyncIterable<Placed>;
  /** Where a message stands now that stood at a place. */
  readonly placeNow: (sight: Sight, place: Place) => Promise<Place>;
  /** Where the message of an id stands. Rejects with `message_not_found`. */
  readonly placeOf: (sessionId: string, messageId: string) => Promise<Place>;
}

/** Messages that are read at once. */
const PIECE = 300;
const WHOLE = Number.MAX_SAFE_INTEGER;
/** Texts of the walk that only finds places; enough to tell a summary from a message. */
const BOUND_BYTES = 4_096;

type Pieces = AsyncIterable<readonly Placed[]>;

/** Messages came to stand elsewhere since the session was looked at: what was read by their places is void. */
class MovedError extends Error {}

/**
 * Every message of a transcript behind none or a given one, oldest first, with whole texts. Holds two pieces: one is read while the
 * other is used. Where messages come to stand elsewhere meanwhile, it goes on behind the last one that it gave.
 */
export const createForwardReader = ({
  stores,
  look,
  isMovedSince,
  pageAt,
  newestFirst,
  placeNow,
  placeOf,
}: ForwardDeps) => {
  const read = async (sight: Sight, before: Place): Promise<PlacedPage> => {
    const page = await pageAt(sight, before, PIECE, WHOLE);
    if (await isMovedSince(sight)) throw new MovedError();
    // A copy that lacks what the store had in the middle is none.
    if (page.sight.state !== sight.state) throw storeUnavailable();
    return page;
  };

  /** What stands from a place on and before another one, oldest first. */
  const between = async (sight: Sight, from: Place, to: Place): Promise<readonly Placed[]> => {
    const found: Placed[] = [];
    for (let before = to; ; ) {
      const page = await read(sight, before);
      found.unshift(...page.items.filter((item) => comparePlaces(item.place, from) >= 0));
      const oldest = page.items[0];
      if (!page.hasOlder || oldest === undefined || comparePlaces(oldest.place, from) <= 0) return found;
      before = oldest.place;
    }
  };

  /** By ranges of row ids, whatever lies before them: for one segment, whose order is that of its ids. */
  async function* byRange(sight: Sight, store: StoreSight, first: Place, newest: number): Pieces {
    let at = Math.max(store.hidden.floor, first.anchor);
    let from = first;
    for (let size = PIECE; at < newest; ) {
      const upTo = Math.min(at + size, newest);
      const range = { ...sight, store: { ...store, hidden: { ...store.hidden, floor: at } } };
      const to = upTo === newest ? END : rowPlace(upTo + 1);
      const page = await read(range, to);
      const oldest = page.items[0];
      const isWhole = !page.hasOlder || oldest === undefined || comparePlaces(oldest.place, from) <= 0;
      // Few rows of this session stood before among those of others, and many stand here.
      if (!isWhole && size > PIECE) {
        size = Math.ceil(size / 2);
        continue;
      }
      const rows = isWhole ? page.items : await between(range, from, to);
      yield rows.filter(({ place }) => comparePlaces(place, from) >= 0);
      if (rows.length < PIECE / 2) size *= 2;
      [at, from] = [upTo, to];
    }
    if (from === first) yield await between(sight, first, END);
  }

  /** By places that are found on a walk from the end, without the texts. */
  async function* byWalk(sight: Sight, first: Place): Pieces {
    const bounds: Place[] = [];
    let count = 0;
    for await (const { place } of newestFirst(sight, BOUND_BYTES)) {
      if (comparePlaces(place, first) <= 0) break;
      if (++count % PIECE === 0) bounds.push(place);
    }
    bounds.push(first);
    for (let i = bounds.length - 1; i >= 0; i--)
      yield await between(sight, bounds[i] ?? first, i === 0 ? END : (bounds[i - 1] ?? END));
  }

  const piecesFrom = async (sight: Sight, first: Place): Promise<Pieces> => {
    const { store } = sight;
    if (store === null || store.segments.ids.length !== 1) return byWalk(sight, first);
    const newest = await stores.call.maxRowId(store.path, store.segments.ids);
    return newest.state === "ok" ? byRange(sight, store, first, newest.value) : byWalk(sight, first);
  };

  /** From a place on, as long as messages stand where they stood. */
  async function* from(sight: Sight, first: Place): AsyncGenerator<Placed> {
    const pieces = (await piecesFrom(sight, first))[Symbol.asyncIterator]();
    for (let next = pieces.next(); ; ) {
      const { done, value } = await next;
      if (done) return;
      next = pieces.next();
      // Nobody may come for it.
      next.catch(() => {});
      yield* value;
    }
  }

  return async function* forwards(sessionId: string, through?: string): AsyncGenerator<Placed> {
    let sight = await look(sessionId);
    let last: Place | null = null;
    for (;;) {
      // A file that is gone or no state.db is another matter: what the sidecar has is all there is.
      if (isAwayForNow(sight)) throw storeUnavailable();
      const until = through === undefined ? END : await placeOf(sessionId, through);
      try {
        for await (const item of from(sight, last === null ? START : placeBehind(last))) {
          if (comparePlaces(item.place, until) > 0) return;
          yield item;
          last = item.place;
        }
        return;
      } catch (error) {
        if (!(error instanceof MovedError)) throw error;
      }
      const now = await look(sessionId);
      // Row ids mean nothing in another file.
      if (last !== null && isStored(last) && now.store?.file !== sight.store?.file) throw storeUnavailable();
      sight = now;
      if (last !== null) last = await placeNow(sight, last);
    }
  };
};

import { comparePlaces, END, type Place, rowPlace, START } from "../sessions/places.ts";
import type { Placed, PlacedPage } from "./page.ts";
import { type Sight, type StoreSight, storeUnavailable } from "./sight.ts";
import type { StateStores } from "./store.ts";

export interface ForwardDeps {
  readonly stores: StateStores;
  readonly pageAt: (sight: Sight, before: Place, limit: number, textBytes?: number) => Promise<PlacedPage>;
  readonly newestFirst: (sight: Sight, textBytes?: number) => AsyncIterable<Placed>;
}

/** Messages that are read at once. */
const PIECE = 300;
const WHOLE = Number.MAX_SAFE_INTEGER;
/** Texts of the walk that only finds places; enough to tell a summary from a message. */
const BOUND_BYTES = 4_096;

type Pieces = AsyncIterable<readonly Placed[]>;

/** Every message of a transcript, oldest first, with whole texts. Holds two pieces: one is read while the other is used. */
export const createForwardReader = ({ stores, pageAt, newestFirst }: ForwardDeps) => {
  const read = async (sight: Sight, before: Place): Promise<PlacedPage> => {
    const page = await pageAt(sight, before, PIECE, WHOLE);
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
  async function* byRange(sight: Sight, store: StoreSight, newest: number): Pieces {
    let at = store.hidden.floor;
    let from = START;
    for (let size = PIECE; at < newest; ) {
      const upTo = Math.min(at + size, newest);
      const range = { ...sight, store: { ...store, hidden: { ...store.hidden, floor: at } } };
      const to = upTo === newest ? END : rowPlace(upTo + 1);
      const first = await read(range, to);
      const oldest = first.items[0];
      const isWhole = !first.hasOlder || oldest === undefined || comparePlaces(oldest.place, from) <= 0;
      // Few rows of this session stood before among those of others, and many stand here.
      if (!isWhole && size > PIECE) {
        size = Math.ceil(size / 2);
        continue;
      }
      const rows = isWhole ? first.items : await between(range, from, to);
      yield rows.filter(({ place }) => comparePlaces(place, from) >= 0);
      if (rows.length < PIECE / 2) size *= 2;
      [at, from] = [upTo, to];
    }
    if (from === START) yield await between(sight, START, END);
  }

  /** By places that are found on a first walk, from the end to the beginning and without the texts. */
  async function* byWalk(sight: Sight): Pieces {
    const bounds: Place[] = [];
    let count = 0;
    for await (const { place } of newestFirst(sight, BOUND_BYTES))
      if (++count % PIECE === 0) bounds.push(place);
    bounds.push(START);
    for (let i = bounds.length - 1; i >= 0; i--)
      yield await between(sight, bounds[i] ?? START, i === 0 ? END : (bounds[i - 1] ?? END));
  }

  const piecesOf = async (sight: Sight): Promise<Pieces> => {
    const { store } = sight;
    if (store === null || store.segments.ids.length !== 1) return byWalk(sight);
    const newest = await stores.call.maxRowId(store.path, store.segments.ids);
    return newest.state === "ok" ? byRange(sight, store, newest.value) : byWalk(sight);
  };

  return async function* forwards(sight: Sight): AsyncGenerator<Placed> {
    const pieces = (await piecesOf(sight))[Symbol.asyncIterator]();
    for (let next = pieces.next(); ; ) {
      const { done, value } = await next;
      if (done) return;
      next = pieces.next();
      // Nobody may come for it.
      next.catch(() => {});
      yield* value;
    }
  };
};

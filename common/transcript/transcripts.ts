import { TalariaError } from "../base/errors.ts";
import { comparePlaces, END, isStored, type Place, placeBehind, rowPlace } from "../sessions/places.ts";
import { type MessageRow, messageFromRow } from "../sessions/rows.ts";
import type { Async } from "../sqlite/client.ts";
import type { ReadOps } from "../talaria-db/module.ts";
import { createForwardReader } from "./forward.ts";
import { storeKeyOf } from "./messages.ts";
import { createPageReader, decodePlace, type Placed, type PlacedPage, StoreAway, toAnswer } from "./page.ts";
import type { Transcripts } from "./port.ts";
import { createLook, type Sight, storeUnavailable } from "./sight.ts";
import { createIsMovedSince, createWhereStanding } from "./standing.ts";
import type { StateStores } from "./store.ts";

const PAGE = 200;
const WHOLE = Number.MAX_SAFE_INTEGER;
/** Anchor of places in a transcript that the sidecar tells alone. */
const ALONE = -1;

export const createTranscripts = (read: Async<ReadOps>, stores: StateStores): Transcripts => {
  const look = createLook(read, stores);
  const isMovedSince = createIsMovedSince(read);
  const whereStanding = createWhereStanding(read);
  const readPage = createPageReader(read, stores, look);

  /** All that the sidecar has, in its own order: while the store cannot be read (a.10). */
  const alone = async (sight: Sight, before: Place, limit: number): Promise<PlacedPage> => {
    const rows = await read.sidecarBefore(sight.row.id, before.turn, before.idx, limit + 1);
    const items = rows.map((row) => ({ place: alonePlace(row), message: messageFromRow(row) }));
    return { sight, items: items.slice(0, limit).reverse(), hasOlder: items.length > limit };
  };

  const pageAt = async (
    sight: Sight,
    before: Place,
    limit: number,
    textBytes?: number,
  ): Promise<PlacedPage> => {
    if (before.anchor === ALONE || !isReadable(sight)) return alone(sight, before, limit);
    try {
      return await readPage(sight, { before, limit, ...(textBytes === undefined ? {} : { textBytes }) });
    } catch (error) {
      if (!(error instanceof StoreAway)) throw error;
      return alone({ ...sight, state: "unavailable", store: null }, before, limit);
    }
  };

  /** The page before a message, wherever that message comes to stand while the page is read; with what was seen at the end. */
  const pageBefore = async (
    first: Sight,
    place: Place,
    limit: number,
    textBytes?: number,
  ): Promise<{ readonly page: PlacedPage; readonly sight: Sight }> => {
    let [sight, before] = [first, place];
    for (;;) {
      const page = await pageAt(sight, before, limit, textBytes);
      if (!(await isMovedSince(sight))) return { page, sight };
      sight = await look(sight.row.id);
      before = await placeNow(sight, before);
    }
  };

  /** Walks back from the end. */
  async function* newestFirst(first: Sight, textBytes?: number): AsyncGenerator<Placed> {
    let [seen, before] = [first, END];
    for (;;) {
      const { page, sight } = await pageBefore(seen, before, PAGE, textBytes);
      seen = sight;
      yield* page.items.toReversed();
      const oldest = page.items[0];
      if (!page.hasOlder || oldest === undefined) return;
      before = oldest.place;
    }
  }

  /** Messages of the sidecar keep their turn and index wherever they stand. */
  const placeNow = async (sight: Sight, place: Place): Promise<Place> => {
    if (isStored(place) || place.anchor === ALONE) return place;
    const known = await read.messageAt(sight.row.id, place.turn, place.idx);
    return known === null ? place : ((await placeIn(sight, known)) ?? place);
  };

  /** Null: it stands in a state.db that does not show it. */
  const placeIn = async (sight: Sight, known: MessageRow): Promise<Place | null> => {
    if (known.anchor !== null) return { anchor: known.anchor, turn: known.turn, idx: known.idx };
    return locate(sight, [
      known.uid === null ? null : { uid: known.uid },
      known.row_id === null ? null : { rowId: known.row_id },
    ]);
  };

  /** By its logical id, since compaction gives it other rows; files without those know it by its row. */
  const locate = async (
    { store }: Sight,
    keys: readonly ({ readonly uid: string } | { readonly rowId: number } | null)[],
  ): Promise<Place | null> => {
    if (store === null) return null;
    const { path, segments, hidden } = store;
    for (const key of keys) {
      const answer = key === null ? null : await stores.call.locate(path, segments.ids, key, { hidden });
      if (answer?.state === "ok" && answer.value !== null) return rowPlace(answer.value.position);
    }
    return null;
  };

  /** As messages stand now; who asks does it again where they moved. */
  const find = async (
    sessionId: string,
    messageId: string,
  ): Promise<{ readonly sight: Sight; readonly place: Place }> => {
    const sight = await look(sessionId);
    const known = await read.findMessage(sessionId, messageId);
    if (known !== null && !isReadable(sight)) return { sight, place: alonePlace(known) };
    const place = await (known === null ? locate(sight, [storeKeyOf(messageId)]) : placeIn(sight, known));
    if (place !== null) return { sight, place };
    throw isReadable(sight) ? notFound() : storeUnavailable();
  };

  const place: Transcripts["place"] = (sessionId, messageId) =>
    whereStanding(sessionId, () => find(sessionId, messageId));

  const forwards = createForwardReader({
    ...{ stores, look, isMovedSince, pageAt, newestFirst, placeNow },
    placeOf: async (sessionId, messageId) => (await place(sessionId, messageId)).place,
  });

  return {
    look,
    place,
    async *newestFirst(sessionId) {
      yield* newestFirst(await look(sessionId));
    },
    async page(sessionId, { limit, before }) {
      const sight = await look(sessionId);
      const answer = toAnswer(
        before === undefined
          ? await pageAt(sight, END, limit)
          : // What was on its way into the store when the last page was read may be there by now.
            (await pageBefore(sight, await placeNow(sight, decodePlace(before)), limit)).page,
      );
      const ids = answer.data.map(({ id }) => id);
      return { ...answer, recaps: await read.recapsBehind(sessionId, ids) };
    },

    async *all(sessionId, through) {
      for await (const { message } of forwards(sessionId, through)) yield message;
    },

    message: (sessionId, messageId) =>
      whereStanding(sessionId, async () => {
        const found = await find(sessionId, messageId);
        const page = await pageAt(found.sight, placeBehind(found.place), 1, WHOLE);
        const item = page.items.at(-1);
        if (item === undefined || comparePlaces(item.place, found.place) !== 0) throw notFound();
        return item.message;
      }),

    async lastPrompts(sessionId, count) {
      const sight = await look(sessionId);
      const prompts: Placed[] = [];
      let seen = 0;
      let following = 0;
      let [storedSeen, stored] = [0, 0];
      for await (const item of newestFirst(sight)) {
        seen += 1;
        storedSeen += Number(isStored(item.place));
        if (item.message.role !== "user") continue;
        prompts.push(item);
        following = seen;
        stored = storedSeen;
        if (prompts.length === count) break;
      }
      return { sight, prompts, following, stored };
    },

    async storeState(profile) {
      const store = await read.getStore(profile);
      return store === null || store.state === "missing" ? "none" : store.state;
    },
  };
};

const notFound = (): TalariaError => new TalariaError("message_not_found", "the session has no such message");

const isReadable = ({ state }: Sight): boolean => state === "ok" || state === "none";

const alonePlace = ({ turn, idx }: MessageRow): Place => ({ anchor: ALONE, turn, idx });

import type { MessagePage } from "../../../common/contracts/http.ts";
import { backoffMs } from "../model/connection.ts";
import { isReadDue } from "../model/outside.ts";
import type { SessionState } from "../model/session-state.ts";
import type { Surroundings } from "../net/event-connection.ts";
import { type Api, ApiError } from "../net/http.ts";
import type { Store } from "./store.ts";

const PAGE = 60;
const MAX_TRIES = 6;

/** Pages that are read beyond the newest one so that a reader further up loses nothing. */
const MAX_BRIDGE = 5;

/** Reads sessions and their messages: on opening, when an event asks for it, and page by page backwards. */
export const createTranscriptReader = ({
  api,
  store,
  surroundings,
  exists,
  retryMs = backoffMs,
}: {
  readonly api: Api;
  readonly store: Store;
  readonly surroundings: Pick<Surroundings, "hidden">;
  /** Whether the session can be asked for: one that is being made cannot. */
  readonly exists: (id: string) => boolean;
  /** Milliseconds before try `attempt`, see `backoffMs`. */
  readonly retryMs?: typeof backoffMs;
}) => {
  const opening: Running = new Map();
  const reading: Running = new Map();
  const readingOlder: Running = new Map();

  const isWanted = (id: string): boolean => {
    const session = store.state().open.get(id);
    if (session === undefined || !exists(id)) return false;
    return isReadDue(session, { hidden: surroundings.hidden(), inView: store.state().selected === id });
  };

  /** Reads the newest page until the state has what it wants; one read at a time for a session (B7). */
  const readLatest = (id: string): Promise<void> => shared(reading, id, () => readNow(id));

  const readNow = async (id: string): Promise<void> => {
    for (let tries = 1; isWanted(id) && tries <= MAX_TRIES; ) {
      const wish = wishOf(store.state().open.get(id));
      const read = store.state().open.get(id)?.reads.wanted ?? 0;
      try {
        store.act(id, { type: "messages", page: await latestPage(id), read });
        if (!isWanted(id)) return;
        if (wish !== wishOf(store.state().open.get(id))) continue; // more was asked for meanwhile
      } catch (error) {
        store.act(id, { type: "messages_failed", botName: store.state().botName });
        if (!(error instanceof ApiError) || !error.isTransient) return reportRead(id, error);
      }
      await new Promise((resolve) => setTimeout(resolve, retryMs(tries, Math.random())));
      tries += 1;
    }
  };

  /** The newest page; for a reader who is further up, with those before it back to what is known (B5, B6). */
  const latestPage = async (id: string): Promise<MessagePage> => {
    const page = await api.messages(id, { limit: PAGE });
    for (let bridged = 0; bridged < MAX_BRIDGE; bridged++) {
      const state = store.state().open.get(id);
      if (page.next_cursor === null || state === undefined || !state.away || state.phase !== "ready") break;
      const known = new Set(state.messages.map((message) => message.id));
      if (known.size === 0 || page.data.some((message) => known.has(message.id))) break;
      const older = await api.messages(id, { limit: PAGE, before: page.next_cursor });
      page.data = [...older.data, ...page.data];
      page.next_cursor = older.next_cursor;
    }
    return page;
  };

  const reportRead = (id: string, error: unknown): void => {
    if (error instanceof ApiError && error.status === 404) store.act(id, { type: "missing" });
    else store.report("The conversation could not be read.", error);
  };

  const openNow = async (id: string): Promise<void> => {
    const known = store.state().open.get(id);
    const messages = readLatest(id);
    if (known?.session == null) {
      try {
        store.act(id, { type: "session", session: (await api.session(id)).session });
      } catch (error) {
        if (error instanceof ApiError && (error.status === 404 || error.status === 400))
          store.act(id, { type: "missing" });
        else if (error instanceof ApiError && error.status === 401) store.report("", error);
      }
    }
    await messages;
  };

  return {
    /** Reads session and messages of a session that was just opened; settled when both are here, cheap when they are. */
    open: (id: string): Promise<void> => shared(opening, id, () => openNow(id)),
    readIfWanted(id: string): void {
      if (isWanted(id)) void readLatest(id);
    },
    /** Reads the page before the oldest message that is here. */
    loadOlder(id: string): Promise<void> {
      const before = store.state().open.get(id)?.older ?? null;
      if (before === null) return Promise.resolve();
      return shared(readingOlder, id, () =>
        api.messages(id, { limit: PAGE, before }).then(
          (page) => store.act(id, { type: "older_messages", page }),
          (error: unknown) => store.report("Older messages could not be read.", error),
        ),
      );
    },
  };
};

/** Reads that have not ended, by session. */
type Running = Map<string, Promise<void>>;

/** The running read of a session; a new one where there is none, so that who waits gets what it waits for. */
const shared = (running: Running, id: string, read: () => Promise<void>): Promise<void> => {
  const now = running.get(id);
  if (now !== undefined) return now;
  const begun = read().finally(() => running.delete(id));
  running.set(id, begun);
  return begun;
};

/** What a state asks for, as text to compare. */
const wishOf = (state: SessionState | undefined): string =>
  `${state?.reads.wanted}/${state?.outside?.revision}/${state?.outside?.cut}`;

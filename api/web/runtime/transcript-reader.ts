import { backoffMs } from "../model/connection.ts";
import { type Api, ApiError } from "../net/http.ts";
import type { Store } from "./store.ts";

const PAGE = 60;
const MAX_TRIES = 6;

/** Reads sessions and their messages: on opening, when an event asks for it, and page by page backwards. */
export const createTranscriptReader = ({ api, store }: { readonly api: Api; readonly store: Store }) => {
  const reading = new Set<string>();
  const readingOlder = new Map<string, Promise<void>>();

  /** Reads the newest page until the state has what it wants; one read at a time for a session. */
  const readLatest = async (id: string): Promise<void> => {
    if (reading.has(id)) return;
    reading.add(id);
    try {
      for (let tries = 1; isWanted(store, id) && tries <= MAX_TRIES; ) {
        const read = store.state().open.get(id)?.reads.wanted ?? 0;
        try {
          const page = await api.messages(id, { limit: PAGE });
          store.act(id, { type: "messages", page, read });
        } catch (error) {
          store.act(id, { type: "messages_failed", botName: store.state().botName });
          if (!(error instanceof ApiError) || !error.isTransient) return reportRead(id, error);
          await new Promise((resolve) => setTimeout(resolve, backoffMs(tries, Math.random())));
          tries += 1;
        }
      }
    } finally {
      reading.delete(id);
    }
  };

  const reportRead = (id: string, error: unknown): void => {
    if (error instanceof ApiError && error.status === 404) store.act(id, { type: "missing" });
    else store.report("The conversation could not be read.", error);
  };

  return {
    /** Reads session and messages of a session that was just opened; cheap when they are here. */
    async open(id: string): Promise<void> {
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
    },
    readIfWanted(id: string): void {
      if (isWanted(store, id)) void readLatest(id);
    },
    loadOlder(id: string): Promise<void> {
      const running = readingOlder.get(id);
      if (running !== undefined) return running;
      const before = store.state().open.get(id)?.older ?? null;
      if (before === null) return Promise.resolve();
      const read = api
        .messages(id, { limit: PAGE, before })
        .then(
          (page) => store.act(id, { type: "older_messages", page }),
          (error: unknown) => store.report("Older messages could not be read.", error),
        )
        .finally(() => readingOlder.delete(id));
      readingOlder.set(id, read);
      return read;
    },
  };
};

const isWanted = (store: Store, id: string): boolean => {
  const session = store.state().open.get(id);
  return session !== undefined && session.phase !== "missing" && session.reads.wanted > session.reads.done;
};

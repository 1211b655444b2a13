import type { ConnectionStatus } from "../model/connection.ts";
import {
  CHECK_GAP_MS,
  DOWN_GRACE_MS,
  hasOwnRun,
  headAsksFor,
  isDown,
  LIST_POLL_MS,
  pollMs,
  STALE_AFTER,
} from "../model/outside.ts";
import type { Surroundings } from "../net/event-connection.ts";
import { type Api, ApiError } from "../net/http.ts";
import type { Store } from "./store.ts";

/**
 * The second way to learn that a session changed: its head is asked for while the event stream is away, and once when
 * somebody comes back to the page. An answer only says whether to read; the reader reads (B1, B10).
 */
export const createOutsideWatch = (deps: {
  readonly api: Api;
  readonly store: Store;
  readonly surroundings: Surroundings;
  readonly random: () => number;
  readonly now: () => number;
  readonly readIfWanted: (id: string) => void;
  readonly readList: () => void;
}) => {
  const { api, store, surroundings, now } = deps;
  const etags = new Map<string, string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let down = false;
  let failures = 0;
  let checkedAt = Number.NEGATIVE_INFINITY;
  let listAt = 0;
  let asking = false;

  /** Asks for the head of the session in view; resolves when its answer is in the state. */
  const ask = async (): Promise<void> => {
    const id = store.state().selected;
    const session = id === null ? undefined : store.state().open.get(id);
    if (asking || id === null || session === undefined || session.phase !== "ready") return;
    if (surroundings.hidden() || store.state().signedOut || session.editing !== null || hasOwnRun(session))
      return; // B2
    asking = true;
    try {
      const answer = await api.head(id, etags.get(id) ?? null);
      worked();
      if (answer === null || store.state().selected !== id) return; // B8
      const state = store.state().open.get(id);
      if (state === undefined) return;
      const wish = headAsksFor(state, answer.head);
      store.act(id, { type: "head", head: answer.head });
      if (answer.etag !== null && !answer.head.stale) etags.set(id, answer.etag);
      if (wish === "messages") deps.readIfWanted(id);
      if (wish !== "nothing") store.act(id, { type: "session", session: (await api.session(id)).session });
    } catch (error) {
      failed(id, error);
    } finally {
      asking = false;
    }
  };

  const worked = (): void => {
    failures = 0;
    store.dispatch({ type: "outdated", outdated: false });
  };
  const failed = (id: string, error: unknown): void => {
    failures += 1;
    if (error instanceof ApiError && error.status === 404) store.act(id, { type: "missing" });
    else if (error instanceof ApiError && error.status === 401) store.report("", error);
    else if (failures >= STALE_AFTER) store.dispatch({ type: "outdated", outdated: true });
  };

  const poll = async (): Promise<void> => {
    if (!down) return;
    if (!surroundings.hidden() && surroundings.online()) {
      await ask();
      if (now() - listAt >= LIST_POLL_MS) {
        listAt = now();
        deps.readList();
      }
    }
    if (down) timer = setTimeout(() => void poll(), pollMs(failures, deps.random()));
  };

  surroundings.onReturn(() => {
    if (surroundings.hidden() || !surroundings.online() || now() - checkedAt < CHECK_GAP_MS) return;
    checkedAt = now();
    const { selected } = store.state();
    if (selected !== null) deps.readIfWanted(selected); // what waited for somebody to look
    void ask();
  });

  return {
    /** Follows the event connection: polling begins when it is away for a while and ends when it is back. */
    status(status: ConnectionStatus): void {
      const next = isDown(status) || (down && status.kind === "connecting");
      if (status.kind === "open") worked();
      if (next === down) return;
      down = next;
      clearTimeout(timer);
      listAt = now();
      if (down) timer = setTimeout(() => void poll(), DOWN_GRACE_MS);
    },
  };
};

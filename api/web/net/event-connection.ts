import { backoffMs, type ConnectionStatus } from "../model/connection.ts";
import type { Frame } from "../model/frame.ts";
import { createFrameReader } from "./frame-reader.ts";

/** What the page's surroundings tell: a hidden or offline tab does not knock. */
export interface Surroundings {
  hidden(): boolean;
  online(): boolean;
  /** Calls back on every change of either. */
  onChange(listener: () => void): () => void;
  /** Calls back when somebody comes back to the page: focus, visible again, online again, restored from a cache. Never while it is hidden. */
  onReturn(listener: () => void): () => void;
}

export interface EventConnectionDeps {
  readonly fetch: typeof fetch;
  readonly surroundings: Omit<Surroundings, "onReturn">;
  readonly random: () => number;
  /** The session in view and the cursor held with its state, read at every (re)connect. */
  readonly target: () => { readonly sessionId: string | null; readonly cursor: string | null };
  /** `sessionId` is the one that the connection was opened for, whatever is in view by now. */
  readonly onFrame: (sessionId: string | null, frame: Frame) => void;
  /** Before each connect: what was received must be in the state before its cursor is read. */
  readonly beforeConnect: () => void;
  readonly onStatus: (status: ConnectionStatus) => void;
}

/** The server sends at least a comment every 5 s; silence for this long is a dead line. */
const SILENCE_MS = 16_000;
/** How long a hidden tab keeps its connection: browsers allow six per origin. */
const HIDDEN_GRACE_MS = 5_000;

/** The one event connection of the tab; `restart` after the session in view changed, a hole was met, or a login. */
export const createEventConnection = (deps: EventConnectionDeps) => {
  let generation = 0;
  let abort = new AbortController();
  let wake: () => void = () => undefined;
  let hiddenTimer: ReturnType<typeof setTimeout> | undefined;
  let letGo = false;

  const run = async (mine: number): Promise<void> => {
    let attempt = 0;
    while (mine === generation) {
      if (await waitUntilWanted(mine)) attempt = 0;
      if (mine !== generation) return;
      if (attempt === 0) deps.onStatus({ kind: "connecting" });
      const end = await connectOnce(mine, () => {
        attempt = 0;
      });
      if (mine !== generation || end === "final") return;
      if (end === "let_go") continue;
      attempt += 1;
      deps.onStatus({ kind: "reconnecting", attempt });
      await pause(backoffMs(attempt, deps.random()));
    }
  };

  /** Resolves at once when the tab is looked at and online; true when it had to wait. */
  const waitUntilWanted = async (mine: number): Promise<boolean> => {
    let waited = false;
    while (mine === generation && (!deps.surroundings.online() || letGo)) {
      waited = true;
      deps.onStatus({ kind: deps.surroundings.online() ? "paused" : "offline" });
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return waited;
  };

  const connectOnce = async (mine: number, opened: () => void): Promise<"dropped" | "let_go" | "final"> => {
    deps.beforeConnect();
    if (mine !== generation) return "final";
    const controller = new AbortController();
    abort = controller;
    const { signal } = controller;
    const { sessionId, cursor } = deps.target();
    let silence: ReturnType<typeof setTimeout> | undefined;
    const heard = (): void => {
      clearTimeout(silence);
      silence = setTimeout(() => controller.abort(), SILENCE_MS);
    };
    try {
      heard();
      const response = await deps.fetch(urlOf(sessionId, cursor), {
        headers: { Accept: "text/event-stream" },
        cache: "no-store",
        signal,
      });
      if (mine !== generation) return "final";
      const refusal = refusalOf(response.status);
      if (refusal !== null) {
        deps.onStatus(refusal);
        return "final";
      }
      if (!response.ok || response.body === null) return "dropped";
      opened();
      deps.onStatus({ kind: "open" });
      const feed = createFrameReader((frame) => {
        if (mine === generation && !signal.aborted) deps.onFrame(sessionId, frame);
      });
      const reader = response.body.getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return "dropped";
        heard();
        feed(value);
      }
    } catch {
      return letGo || !deps.surroundings.online() ? "let_go" : "dropped";
    } finally {
      clearTimeout(silence);
      controller.abort();
    }
  };

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const surroundingsChanged = (): void => {
    clearTimeout(hiddenTimer);
    if (!deps.surroundings.online()) {
      abort.abort();
      wake();
    } else if (deps.surroundings.hidden()) {
      hiddenTimer = setTimeout(() => {
        letGo = true;
        abort.abort();
        wake();
      }, HIDDEN_GRACE_MS);
    } else {
      letGo = false;
      wake(); // visible and online again: no need to sit out the rest of a pause
    }
  };
  const stopListening = deps.surroundings.onChange(surroundingsChanged);

  const restart = (): void => {
    generation += 1;
    abort.abort();
    wake();
    void run(generation);
  };

  return {
    restart,
    close(): void {
      generation += 1;
      clearTimeout(hiddenTimer);
      stopListening();
      abort.abort();
      wake();
    },
  };
};

const urlOf = (sessionId: string | null, cursor: string | null): string => {
  if (sessionId === null) return "/api/events";
  const params = new URLSearchParams({ session_id: sessionId });
  if (cursor !== null) params.set("last_event_id", cursor);
  return `/api/events?${params}`;
};

const refusalOf = (status: number): ConnectionStatus | null => {
  if (status === 401) return { kind: "signed_out" };
  return status === 403 || status === 404 ? { kind: "refused", status } : null;
};

import type { Updates, UpdatesState } from "../model/updates.ts";
import { type Api, ApiError } from "../net/http.ts";

const ASK_EVERY_MS = 1_500;
/** Longer than a worker takes for it, in questions. */
const MOST_QUESTIONS = 100;
const LOOK_AGAIN_MS = 60 * 60 * 1_000;

/** Knows of updates and has them told. Asks only while the dialog is open. */
export const createUpdates = ({
  api,
  profile,
  now,
}: {
  readonly api: Pick<Api, "updates" | "updateSummary">;
  /** Whose model tells it. */
  readonly profile: () => string;
  /** Milliseconds of any clock that only goes on. */
  readonly now: () => number;
}): Updates => {
  let state: UpdatesState = { targets: [], open: false, summary: null, problem: null };
  let looked: number | null = null;
  /** Of the dialog as it was last opened: what an older one still hears is nobody's. */
  let turn = 0;
  const listeners = new Set<() => void>();
  const set = (change: Partial<UpdatesState>): void => {
    state = { ...state, ...change };
    for (const listener of listeners) listener();
  };

  const tell = async (mine: number): Promise<void> => {
    for (let asked = 0; asked < MOST_QUESTIONS && mine === turn; asked++) {
      const { summary } = await api.updateSummary(profile());
      if (mine !== turn) return;
      const isOver = summary.ended_at !== null;
      set({ summary, problem: summary.state === "failed" ? "It could not be told." : null });
      if (isOver) return;
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
    }
    if (mine === turn) set({ problem: "No worker tells it at the moment." });
  };

  return {
    getState: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    look() {
      if (looked !== null && now() - looked < LOOK_AGAIN_MS) return;
      looked = now();
      api.updates().then(
        ({ targets = [] }) => set({ targets }),
        () => {
          looked = null; // a comfort; the next look, or a login, asks again
        },
      );
    },
    open() {
      turn += 1;
      const mine = turn;
      set({ open: true, summary: null, problem: null });
      tell(mine).catch((error: unknown) => {
        if (mine === turn)
          set({ problem: error instanceof ApiError ? error.message : "It could not be told." });
      });
    },
    close() {
      turn += 1;
      set({ open: false });
    },
  };
};

import type { Logger } from "pino";
import { RunStop, type StopKind } from "./stop.ts";

const LOOK_EVERY_MS = 500;

/** The runs that this worker executes, and the ways to stop them. */
export interface ActiveRuns {
  /** Registers an execution; `leave` must be called when it is over. */
  enter(runId: string): { readonly signal: AbortSignal; stop(kind: StopKind): void; leave(): void };
  /** Stops one run if it is here. */
  stop(runId: string, kind: StopKind): void;
  /** Stops every run, and each one that enters from now on. */
  stopAll(kind: StopKind): void;
  readonly size: number;
  /** Resolves when no run is left. */
  idle(): Promise<void>;
  close(): void;
}

/** `stopRequested` answers which of the given runs the database wants stopped; hints only make it faster. */
export const createActiveRuns = (
  stopRequested: (runIds: readonly string[]) => Promise<readonly string[]>,
  log: Logger,
): ActiveRuns => {
  const controllers = new Map<string, Set<AbortController>>();
  const waiting = new Set<() => void>();
  let count = 0;
  let looking = false;
  let ending: StopKind | null = null;

  const stop = (runId: string, kind: StopKind): void => {
    for (const controller of controllers.get(runId) ?? []) controller.abort(new RunStop(kind));
  };
  const look = async (): Promise<void> => {
    if (looking || count === 0) return;
    looking = true;
    try {
      for (const runId of await stopRequested([...controllers.keys()])) stop(runId, "cancel");
    } catch (err) {
      log.debug({ err }, "could not look for stops; looking again");
    } finally {
      looking = false;
    }
  };
  const timer = setInterval(() => void look(), LOOK_EVERY_MS);

  return {
    enter: (runId) => {
      const controller = new AbortController();
      const set = controllers.get(runId) ?? new Set();
      set.add(controller);
      controllers.set(runId, set);
      count++;
      if (ending !== null) controller.abort(new RunStop(ending));
      return {
        signal: controller.signal,
        stop: (kind) => controller.abort(new RunStop(kind)),
        leave: () => {
          if (!set.delete(controller)) return;
          if (set.size === 0) controllers.delete(runId);
          count--;
          if (count === 0) for (const resolve of waiting) resolve();
        },
      };
    },
    stop,
    stopAll: (kind) => {
      ending = kind;
      for (const runId of controllers.keys()) stop(runId, kind);
    },
    get size() {
      return count;
    },
    idle: () =>
      count === 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            const done = (): void => {
              waiting.delete(done);
              resolve();
            };
            waiting.add(done);
          }),
    close: () => clearInterval(timer),
  };
};

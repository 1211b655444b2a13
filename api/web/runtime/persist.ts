import type { Surroundings } from "../net/event-connection.ts";
import { ApiError } from "../net/http.ts";

const RETRY_MS = [400, 1_200, 3_000, 6_000] as const;

/** Repeats what is harmless to repeat; rejects with the last error. */
export type Persist = <T>(work: () => Promise<T>, onRetry?: () => void) => Promise<T>;

export const createPersist =
  (surroundings: Pick<Surroundings, "online">): Persist =>
  async (work, onRetry) => {
    for (let tries = 0; ; tries++) {
      try {
        return await work();
      } catch (error) {
        const delay = RETRY_MS[tries];
        const again = error instanceof ApiError && error.isTransient && surroundings.online();
        if (!again || delay === undefined) throw error;
        onRetry?.();
        await new Promise((resolve) => setTimeout(resolve, delay));
      }
    }
  };

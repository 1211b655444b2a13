import type { SessionsChanged } from "../../common/contracts/events.ts";
import { widenHint } from "../../common/journal/hints.ts";

/** Gives session-list hints to any number of followers; each has room for one, which widens while it does not read. */
export interface HintFeed {
  publish(hint: SessionsChanged): void;
  /** Hints from now on; ends quietly on abort or close. */
  follow(signal: AbortSignal): AsyncIterable<SessionsChanged>;
  close(): void;
}

export const createHintFeed = (): HintFeed => {
  const followers = new Set<Follower>();
  let closed = false;

  async function* read(follower: Follower, signal: AbortSignal): AsyncGenerator<SessionsChanged> {
    const wake = (): void => follower.wake();
    signal.addEventListener("abort", wake);
    try {
      while (!signal.aborted && !closed) {
        const { pending } = follower;
        follower.pending = null;
        if (pending !== null) yield pending;
        else await new Promise<void>((resolve) => (follower.wake = resolve));
      }
    } finally {
      signal.removeEventListener("abort", wake);
      followers.delete(follower);
    }
  }

  return {
    publish(hint) {
      for (const follower of followers) {
        follower.pending = follower.pending === null ? hint : widenHint(follower.pending, hint);
        follower.wake();
      }
    },
    follow(signal) {
      const follower: Follower = { pending: null, wake: () => {} };
      // From this call on, not from the first read on: nothing may fall between.
      followers.add(follower);
      signal.addEventListener("abort", () => followers.delete(follower), { once: true });
      return read(follower, signal);
    },
    close() {
      closed = true;
      for (const follower of followers) follower.wake();
    },
  };
};

interface Follower {
  pending: SessionsChanged | null;
  wake: () => void;
}

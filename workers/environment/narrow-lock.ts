/** A change that is over when it returns: a promise is refused by its type, so nothing can be awaited while the lock is held. */
export type Change<T> = () => T extends PromiseLike<unknown> ? never : T;

export interface NarrowLock {
  /** Runs `change` under the lock. Throws `LockHeldError` at once while it is held: waiting could only hang (P-9). */
  hold<T>(change: Change<T>): T;
  /** The same, answering false while the lock is held; `change` then did not run. */
  tryHold<T>(change: Change<T>): { readonly value: T } | false;
}

/** Thrown by code inside the locked section that enters it again. */
export class LockHeldError extends Error {
  constructor() {
    super("the environment's lock is held: a change may not start another change");
    this.name = "LockHeldError";
  }
}

/**
 * The lock around each change of a shared table (profiles, section 3). With one thread and no await inside, a change is
 * atomic by construction: nobody ever waits, and whoever finds the lock held is inside it (P-8, P-9). `observe` is told how
 * long each change took, after it was released; a prom-client histogram's `observe` fits.
 */
export const createNarrowLock = (observe: (seconds: number) => void): NarrowLock => {
  let held = false;
  const tryHold = <T>(change: Change<T>): { readonly value: T } | false => {
    if (held) return false;
    held = true;
    const since = performance.now();
    try {
      return { value: change() };
    } finally {
      held = false;
      observe((performance.now() - since) / 1000);
    }
  };
  return {
    tryHold,
    hold(change) {
      const done = tryHold(change);
      if (done === false) throw new LockHeldError();
      return done.value;
    },
  };
};

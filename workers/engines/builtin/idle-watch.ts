export interface IdleWatch {
  /** Waiting for the provider begins: the time limit counts from here. */
  begin(): void;
  /** Something came. What the consumer does with it, however long, is not the provider's idleness. */
  end(): void;
  stop(): void;
}

/** Calls `onIdle` once, when one wait lasted `limitMs`. One timer for the whole call, since it is moved on every chunk. */
export const createIdleWatch = (limitMs: number, onIdle: () => void): IdleWatch => {
  let waiting = false;
  const timer = setTimeout(() => {
    if (waiting) onIdle();
    else timer.refresh();
  }, limitMs);
  return {
    begin() {
      waiting = true;
      timer.refresh();
    },
    end() {
      waiting = false;
    },
    stop: () => clearTimeout(timer),
  };
};

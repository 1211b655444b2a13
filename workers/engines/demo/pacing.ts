/** Something that is to be woken at a time of `performance.now()`. */
export interface Paced {
  due: number;
  onDue(nowMs: number): void;
}

export interface Pacer {
  add(paced: Paced, dueMs: number): void;
}

const SLOTS = 2048;

/**
 * One clock for all paced streams: a wheel of 1 ms slots, so that the cost follows the tokens and not the open streams.
 * No timer runs while nothing is due.
 */
export const createPacer = (): Pacer => {
  const slots: Paced[][] = Array.from({ length: SLOTS }, () => []);
  let count = 0;
  let at = 0;
  let timer: ReturnType<typeof setTimeout> | null = null;

  const arm = (): void => {
    timer = setTimeout(tick, 1);
  };
  const add = (paced: Paced, dueMs: number): void => {
    if (count === 0 && timer === null) {
      at = Math.floor(performance.now());
      arm();
    }
    const slot = Math.min(Math.max(Math.floor(dueMs), at + 1), at + SLOTS - 1);
    paced.due = dueMs;
    slots[slot % SLOTS]?.push(paced);
    count++;
  };
  const tick = (): void => {
    timer = null;
    const now = performance.now();
    const end = Math.floor(now);
    for (let turns = 0; at < end && turns < SLOTS; turns++) {
      at++;
      const slot = slots[at % SLOTS] ?? [];
      if (slot.length === 0) continue;
      slots[at % SLOTS] = [];
      count -= slot.length;
      for (const paced of slot) {
        if (paced.due > now + 1) add(paced, paced.due);
        else paced.onDue(now);
      }
    }
    if (at < end) at = end;
    if (count > 0 && timer === null) arm();
  };
  return { add };
};

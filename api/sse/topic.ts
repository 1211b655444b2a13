import type { HubEntry } from "./port.ts";

/** The newest entry that the hub knows of a session's log; seq 0: the log was empty. */
export interface Tail {
  readonly seq: number;
  readonly generation: number;
}

/** One followed session: its recent entries, shared by all followers, and who waits for the next. */
export interface Topic {
  readonly sessionId: string;
  followers: number;
  /** null until the hub has looked where the log ends; the ring covers everything after `base` up to `tail`. */
  tail: Tail | null;
  readonly base: number;
  /** Entries with seq > `after` from the ring; null when the ring does not reach back that far. */
  read(after: number, limit: number): readonly HubEntry[] | null;
  /** Starts the ring behind the log's end as it is now. */
  open(tail: Tail): void;
  /** Adds newer entries and wakes everybody; drops the oldest beyond `maxChars`. */
  publish(entries: readonly HubEntry[], maxChars: number): void;
  /** Resolves with the next publish, failure or wake, or on abort. */
  changed(signal: AbortSignal): Promise<void>;
  wake(): void;
  /** Ends every follower with `error`. */
  fail(error: Error): void;
  readonly failure: Error | null;
  /** A page of history, asked for once however many followers want it at the same time. */
  page(after: number, load: () => Promise<readonly HubEntry[]>): Promise<readonly HubEntry[]>;
}

const MAX_RING_ENTRIES = 2_048;

export const createTopic = (sessionId: string): Topic => new RingTopic(sessionId);

class RingTopic implements Topic {
  readonly sessionId: string;
  followers = 0;
  tail: Tail | null = null;
  base = Number.POSITIVE_INFINITY;
  failure: Error | null = null;
  private ring: HubEntry[] = [];
  private chars = 0;
  private readonly waiting = new Set<() => void>();
  private readonly pages = new Map<number, Promise<readonly HubEntry[]>>();

  constructor(sessionId: string) {
    this.sessionId = sessionId;
  }

  open(tail: Tail): void {
    this.tail = tail;
    this.base = tail.seq;
    this.wake();
  }

  read(after: number, limit: number): readonly HubEntry[] | null {
    if (after < this.base) return null;
    let low = 0;
    let high = this.ring.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.ring[middle]?.seq ?? 0) > after) high = middle;
      else low = middle + 1;
    }
    return this.ring.slice(low, low + limit);
  }

  publish(entries: readonly HubEntry[], maxChars: number): void {
    for (const entry of entries) {
      this.ring.push(entry);
      this.chars += entry.json.length;
    }
    const newest = entries.at(-1);
    if (newest !== undefined) this.tail = newest;
    let drop = 0;
    while (drop < this.ring.length && (this.chars > maxChars || this.ring.length - drop > MAX_RING_ENTRIES)) {
      this.chars -= this.ring[drop]?.json.length ?? 0;
      drop++;
    }
    if (drop > 0) {
      this.base = this.ring[drop - 1]?.seq ?? this.base;
      this.ring = this.ring.slice(drop);
    }
    this.wake();
  }

  changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const over = (): void => {
        this.waiting.delete(over);
        signal.removeEventListener("abort", over);
        resolve();
      };
      if (signal.aborted) return resolve();
      this.waiting.add(over);
      signal.addEventListener("abort", over);
    });
  }

  wake(): void {
    for (const over of [...this.waiting]) over();
  }

  fail(error: Error): void {
    this.failure ??= error;
    this.wake();
  }

  page(after: number, load: () => Promise<readonly HubEntry[]>): Promise<readonly HubEntry[]> {
    const asked = this.pages.get(after);
    if (asked !== undefined) return asked;
    const page = load().finally(() => this.pages.delete(after));
    this.pages.set(after, page);
    return page;
  }
}

import { type HubEntry, LOG_START, type LogPosition } from "./port.ts";

/** One followed session: its recent entries, shared by all followers, and who waits for the next. */
export interface Topic {
  readonly sessionId: string;
  followers: number;
  /** Newest entry of the blocking read; null until the hub has looked where the log ends. */
  readonly tail: LogPosition | null;
  /** Newest entry that any follower may hold; what the log must not go back behind. */
  readonly seen: LogPosition;
  readonly failure: Error | null;
  /** Starts the ring behind the log's end as it is now. */
  open(tail: LogPosition): void;
  /** Entries with seq > `after` from the ring; null when the ring does not reach back that far. */
  read(after: number, limit: number): readonly HubEntry[] | null;
  /** Adds newer entries and wakes everybody; the oldest leave when there are more than `maxChars`. Returns how many left. */
  publish(entries: readonly HubEntry[], maxChars: number): number;
  saw(entry: LogPosition): void;
  /** A page of history, asked for once however many followers want it at the same time. */
  page(after: number, load: () => Promise<readonly HubEntry[]>): Promise<HistoryPage>;
  /** Resolves with the next publish or wake; at once after a failure or an abort. */
  changed(signal: AbortSignal): Promise<void>;
  wake(): void;
  /** Ends every follower with `error`. */
  fail(error: Error): void;
}

export interface HistoryPage {
  readonly entries: readonly HubEntry[];
  /** Where the ring began when the page was asked for: an empty page means that nothing stands up to there. */
  readonly base: number;
}

export const createTopic = (sessionId: string): Topic => new RingTopic(sessionId);

const MAX_RING_ENTRIES = 2_048;
/** How much of a full ring stays, so that not every publish has to move it. */
const KEPT = 0.75;

class RingTopic implements Topic {
  readonly sessionId: string;
  followers = 0;
  tail: LogPosition | null = null;
  seen: LogPosition = LOG_START;
  failure: Error | null = null;
  /** The ring holds every entry after this seq, up to `tail`. */
  private base = Number.POSITIVE_INFINITY;
  private ring: HubEntry[] = [];
  private chars = 0;
  private readonly waiting = new Set<() => void>();
  private readonly pages = new Map<number, Promise<HistoryPage>>();

  constructor(sessionId: string) {
    this.sessionId = sessionId;
  }

  open(tail: LogPosition): void {
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

  publish(entries: readonly HubEntry[], maxChars: number): number {
    for (const entry of entries) {
      this.ring.push(entry);
      this.chars += entry.json.length;
    }
    const newest = entries.at(-1);
    if (newest !== undefined) {
      this.tail = newest;
      this.saw(newest);
    }
    const isFull = this.chars > maxChars || this.ring.length > MAX_RING_ENTRIES;
    const left = isFull ? this.shrink(KEPT * maxChars, KEPT * MAX_RING_ENTRIES) : 0;
    this.wake();
    return left;
  }

  saw(entry: LogPosition): void {
    const { seq, generation } = this.seen;
    if (entry.seq > seq || (entry.seq === seq && generation < 0))
      this.seen = { seq: entry.seq, generation: entry.generation };
  }

  page(after: number, load: () => Promise<readonly HubEntry[]>): Promise<HistoryPage> {
    const asked = this.pages.get(after);
    if (asked !== undefined) return asked;
    const { base } = this;
    const page = load()
      .then((entries) => ({ entries, base }))
      .finally(() => this.pages.delete(after));
    this.pages.set(after, page);
    return page;
  }

  changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const over = (): void => {
        this.waiting.delete(over);
        signal.removeEventListener("abort", over);
        resolve();
      };
      if (signal.aborted || this.failure !== null) return resolve();
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

  private shrink(chars: number, entries: number): number {
    let drop = 0;
    for (; drop < this.ring.length && (this.chars > chars || this.ring.length - drop > entries); drop++)
      this.chars -= this.ring[drop]?.json.length ?? 0;
    this.base = this.ring[drop - 1]?.seq ?? this.base;
    this.ring = this.ring.slice(drop);
    return drop;
  }
}

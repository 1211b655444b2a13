import type { AppendResult, Journal, NewEntry, Writer } from "./port.ts";

/** Why the journal refused an attempt for good; nothing it held back was written. */
export type RefusalReason = Exclude<AppendResult["status"], "ok">;

/** What the writer rejects with after a refusal: the attempt must stop (`gap`: and claim again). */
export class JournalRefused extends Error {
  /** `abandoned`: the writer was closed before everything was written. */
  readonly reason: RefusalReason | "abandoned";

  constructor(reason: RefusalReason | "abandoned") {
    super(`the journal refused the attempt: ${reason}`);
    this.name = "JournalRefused";
    this.reason = reason;
  }
}

export interface JournalWriterOptions {
  /** The number in the run that the claim was told; default 0. */
  readonly lastRunSeq?: number;
  /** Shortest time between two appends in milliseconds; what is pushed meanwhile is collected. Default 4. */
  readonly flushMs?: number;
  /** Most entries of one append; default 64. */
  readonly maxBatch?: number;
  /** Characters of payload held back before `push` asks the caller to wait; default 1 Mi (reliability, faults). */
  readonly maxBytes?: number;
  /** Called once, when an append brings the hint that somebody wants the run to stop. */
  readonly onCancelRequested?: () => void;
  /** Called once, when the journal refuses the attempt. */
  readonly onRefused?: (refusal: JournalRefused) => void;
}

/** Collects an attempt's entries into appends, one in flight at a time, in order. */
export interface JournalWriter {
  /**
   * Adds an entry to the next append. Returns a promise only when the caller should wait before it pushes more; it resolves
   * when there is room again. Throws `JournalRefused` after a refusal.
   */
  push(entry: NewEntry): Promise<void> | undefined;
  /**
   * Puts `replacement` in the place of `last` if that was pushed last and is not on its way yet; false otherwise. So text that
   * comes faster than the journal takes it becomes fewer, larger entries.
   */
  amend(last: NewEntry, replacement: NewEntry): boolean;
  /**
   * Resolves when everything pushed so far is in the journal; waits out any outage. Rejects with `JournalRefused`, also when
   * the writer is closed before.
   */
  flush(): Promise<void>;
  /** `flush`, then `entries` as the final append, which closes the run. */
  finish(entries: readonly NewEntry[]): Promise<void>;
  /** The number in the run of the newest entry that the journal has acknowledged. */
  readonly lastRunSeq: number;
  /** Gives up what is not written yet and stops repeating. Safe to call twice. */
  close(): void;
}

/** The claim of `writer` must have been accepted; batches are numbered from 1. */
export const createJournalWriter = (
  journal: Pick<Journal, "append">,
  writer: Writer,
  options: JournalWriterOptions = {},
): JournalWriter => new BatchingWriter(journal, writer, options);

const MAX_BATCH_CHARS = 256 * 1024;
const RETRY_MS = { first: 50, most: 1_000 } as const;

class BatchingWriter implements JournalWriter {
  private readonly journal: Pick<Journal, "append">;
  private readonly owner: Writer;
  private readonly options: JournalWriterOptions;
  private readonly maxBatch: number;
  private readonly maxBytes: number;
  private readonly flushMs: number;
  /** Not in the journal yet, oldest first; a batch in flight stays until its reply. */
  private pending: NewEntry[] = [];
  /** How many of `pending`, from the front, are on their way. */
  private inFlight = 0;
  private pendingBytes = 0;
  private pushed = 0;
  private written = 0;
  lastRunSeq: number;
  private batch = 0;
  private sending = false;
  private urgent = false;
  private lastSentAt = Number.NEGATIVE_INFINITY;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private wakeRetry: (() => void) | null = null;
  private refusal: JournalRefused | null = null;
  private cancelTold = false;
  /** Waiting for `written` to reach a count. */
  private barriers: { readonly upTo: number; readonly settled: PromiseWithResolvers<void> }[] = [];
  private room: PromiseWithResolvers<void> | null = null;
  private last: PromiseWithResolvers<void> | null = null;

  constructor(journal: Pick<Journal, "append">, owner: Writer, options: JournalWriterOptions) {
    this.journal = journal;
    this.owner = owner;
    this.options = options;
    this.lastRunSeq = options.lastRunSeq ?? 0;
    this.flushMs = options.flushMs ?? 4;
    this.maxBatch = options.maxBatch ?? 64;
    this.maxBytes = options.maxBytes ?? 1024 * 1024;
  }

  push(entry: NewEntry): Promise<void> | undefined {
    if (this.refusal !== null) throw this.refusal;
    if (this.last !== null) throw new Error("the writer is finished");
    this.pending.push(entry);
    this.pendingBytes += entry.data.length;
    this.pushed++;
    this.schedule();
    if (this.pendingBytes <= this.maxBytes) return undefined;
    this.room ??= observed();
    return this.room.promise;
  }

  amend(last: NewEntry, replacement: NewEntry): boolean {
    const index = this.pending.length - 1;
    if (this.refusal !== null || index < this.inFlight || this.pending[index] !== last) return false;
    this.pending[index] = replacement;
    this.pendingBytes += replacement.data.length - last.data.length;
    return true;
  }

  flush(): Promise<void> {
    if (this.refusal !== null) return Promise.reject(this.refusal);
    if (this.written === this.pushed) return Promise.resolve();
    const settled = observed();
    this.barriers.push({ upTo: this.pushed, settled });
    this.urgent = true;
    this.schedule();
    return settled.promise;
  }

  async finish(entries: readonly NewEntry[]): Promise<void> {
    await this.flush();
    if (this.refusal !== null) throw this.refusal;
    if (this.last !== null) return this.last.promise;
    this.last = observed();
    const final = this.last;
    this.sending = true;
    void this.deliver(entries, true).then((done) => {
      if (done) final.resolve();
    });
    return final.promise;
  }

  close(): void {
    this.refuse(new JournalRefused("abandoned"), false);
  }

  /** Sends at once when nothing was sent for `flushMs`; else when that time is over, the batch full or somebody waits. */
  private schedule(): void {
    if (this.sending || this.pending.length === 0 || this.refusal !== null) return;
    const wait = this.lastSentAt + this.flushMs - performance.now();
    if (wait <= 0 || this.urgent || this.pending.length >= this.maxBatch) {
      clearTimeout(this.timer);
      this.timer = undefined;
      this.sending = true;
      // What the caller pushes in the same turn goes along.
      queueMicrotask(() => void this.send());
      return;
    }
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.schedule();
    }, wait);
  }

  private async send(): Promise<void> {
    const entries = this.pending.slice(0, this.batchEnd());
    this.inFlight = entries.length;
    this.lastSentAt = performance.now();
    if (!(await this.deliver(entries, false))) return;
    this.pending = this.pending.slice(entries.length);
    this.inFlight = 0;
    for (const { data } of entries) this.pendingBytes -= data.length;
    this.written += entries.length;
    this.sending = false;
    this.settle();
    this.schedule();
  }

  /** How many of the pending entries go into one append: bounded in number and in size, but at least one. */
  private batchEnd(): number {
    let end = 0;
    for (let chars = 0; end < this.pending.length && end < this.maxBatch && chars < MAX_BATCH_CHARS; end++)
      chars += this.pending[end]?.data.length ?? 0;
    return end;
  }

  /** The same batch under the same number until there is a reply; false when it was refused. */
  private async deliver(entries: readonly NewEntry[], final: boolean): Promise<boolean> {
    const number = ++this.batch;
    for (
      let delay: number = RETRY_MS.first;
      this.refusal === null;
      delay = Math.min(2 * delay, RETRY_MS.most)
    ) {
      const result = await this.journal.append(this.owner, number, entries, final).catch(() => null);
      if (this.refusal !== null) return false;
      if (result === null) {
        await this.pause(delay);
        continue;
      }
      if (result.status !== "ok") {
        this.refuse(new JournalRefused(result.status), true);
        return false;
      }
      this.lastRunSeq = result.lastRunSeq;
      if (result.cancelRequested && !this.cancelTold) {
        this.cancelTold = true;
        this.options.onCancelRequested?.();
      }
      return true;
    }
    return false;
  }

  private settle(): void {
    if (this.written === this.pushed) this.urgent = false;
    while (this.barriers[0] !== undefined && this.barriers[0].upTo <= this.written)
      this.barriers.shift()?.settled.resolve();
    if (this.pendingBytes > this.maxBytes / 2) return;
    this.room?.resolve();
    this.room = null;
  }

  private refuse(refusal: JournalRefused, tell: boolean): void {
    if (this.refusal !== null) return;
    this.refusal = refusal;
    clearTimeout(this.timer);
    this.pending = [];
    this.pendingBytes = 0;
    for (const { settled } of this.barriers) settled.reject(refusal);
    this.barriers = [];
    this.room?.reject(refusal);
    this.last?.reject(refusal);
    this.wakeRetry?.();
    if (tell) this.options.onRefused?.(refusal);
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const over = (): void => {
        clearTimeout(timer);
        this.wakeRetry = null;
        resolve();
      };
      const timer = setTimeout(over, ms);
      this.wakeRetry = over;
    });
  }
}

/** A promise whose rejection nobody has to await: `push` may be called without waiting for room. */
const observed = (): PromiseWithResolvers<void> => {
  const settled = Promise.withResolvers<void>();
  settled.promise.catch(() => {});
  return settled;
};

import type { Redis } from "ioredis";
import { isTalariaError, TalariaError } from "../../common/base/errors.ts";
import type { SessionsChanged } from "../../common/contracts/events.ts";
import { parseHint } from "../../common/journal/hints.ts";
import type { Journal } from "../../common/journal/port.ts";
import { parseEntry, type RawEntry } from "../../common/journal/stream.ts";
import { MAX_BLOCK_MS } from "../../common/redis/connect.ts";
import type { Keys } from "../../common/redis/keys.ts";
import { withJson } from "./events.ts";
import { createHintFeed } from "./hint-feed.ts";
import { goesOn, LogRestart } from "./log-restart.ts";
import type { Hub, HubEntry, LogPosition } from "./port.ts";
import { createTopic, type Topic } from "./topic.ts";

export interface HubDeps {
  readonly journal: Pick<Journal, "range" | "heads" | "checkSessionCursor">;
  /** A connection of the role `command`. */
  readonly redis: Redis;
  /** A connection of the role `blocking` for this hub alone; `close` disconnects it. */
  readonly blocking: Redis;
  readonly keys: Keys;
  /** Unique among the processes of the deployment. */
  readonly id: string;
  readonly log?: { warn(fields: object, message: string): void };
  /** How long Redis may be away before followers are told; default 20 s. */
  readonly outageMs?: number;
  /** How often the logs of quiet sessions are checked for a lost tail; default 1 s. */
  readonly checkMs?: number;
  /** Characters of all rings together; default 64 Mi. */
  readonly maxRingChars?: number;
}

/** Starts the hub: its loop reads until `close`. */
export const createHub = (deps: HubDeps): Hub => new RedisHub(deps);

const PAGE = 500;
const READ_COUNT = 500;
const RETRY_MS = 200;
const WAKE_TTL_S = 60;
const RING_CHARS = { least: 16 * 1024, most: 512 * 1024 } as const;
/** Behind every entry of a number, whatever its generation. */
const LAST_GENERATION = "18446744073709551615";
/** What followers are given when the hub closes; they end quietly. */
const CLOSED = new Error("the hub is closed");

/** Entries; a number when there are none: up to there the log is empty; null when Redis does not answer. */
type Found = readonly HubEntry[] | number | null;
type Reply = readonly (readonly [key: string, entries: readonly RawEntry[]])[] | null;

class RedisHub implements Hub {
  private readonly deps: HubDeps;
  private readonly outageMs: number;
  private readonly topics = new Map<string, Topic>();
  private readonly hintFeed = createHintFeed();
  private followers = 0;
  private entriesRead = 0;
  private evicted = 0;
  private historyReads = 0;
  private closed = false;
  /** The loop is inside its blocking read; a changed set needs a wake-up to be noticed. */
  private blocked = false;
  private wakeSeq = Date.now();
  private wakeRead = this.wakeSeq;
  private hintsRead: string | null = null;
  private isDown: boolean;
  /** Down for longer than followers wait. Set by the timer itself: it may fire a little before a clock says so. */
  private isAway = false;
  private downTimer: ReturnType<typeof setTimeout> | undefined;
  private connected: boolean;
  private checking = false;
  private reading: PromiseWithResolvers<Reply> | null = null;
  private readonly checkTimer: ReturnType<typeof setInterval>;
  private readonly loop: Promise<void>;

  constructor(deps: HubDeps) {
    this.deps = deps;
    this.outageMs = deps.outageMs ?? 20_000;
    this.isDown = false;
    this.connected = deps.blocking.status === "ready";
    if (!this.connected) this.onDown();
    deps.blocking.on("close", this.onDown);
    deps.blocking.on("ready", this.onUp);
    this.checkTimer = setInterval(() => void this.checkLogs(), deps.checkMs ?? 1_000);
    this.checkTimer.unref();
    this.loop = this.run();
  }

  get stats(): Hub["stats"] {
    const { followers, entriesRead, evicted, historyReads } = this;
    return { followers, sessions: this.topics.size, entriesRead, evicted, historyReads };
  }

  async *follow(
    sessionId: string,
    after: LogPosition,
    signal: AbortSignal,
  ): AsyncGenerator<readonly HubEntry[], void, undefined> {
    const topic = this.enter(sessionId, after);
    let at = after.seq;
    let last = after;
    /** What the ring holds was compared with the log when it came; what a follower brings along was not. */
    let isOfRing = false;
    let failingSince: number | null = null;
    try {
      while (!signal.aborted && !this.isOver(topic)) {
        const live = topic.read(at, PAGE);
        if (live?.length === 0) {
          await topic.changed(signal);
          continue;
        }
        const found = live !== null && isOfRing ? live : await this.page(topic, at, last, live);
        if (found === null) {
          failingSince ??= performance.now();
          if (performance.now() - failingSince >= this.outageMs) throw away();
          await pause(RETRY_MS, signal);
          continue;
        }
        failingSince = null;
        if (typeof found === "number") {
          // Nothing stands between `at` and there. Without a ring yet there is nothing more to know: wait for it.
          if (Number.isFinite(found)) at = Math.max(at, found);
          else if (topic.tail === null && !this.isOver(topic)) await topic.changed(signal);
          continue;
        }
        const newest: HubEntry | undefined = found.at(-1);
        if (newest === undefined || signal.aborted || this.isOver(topic)) continue;
        at = newest.seq;
        last = newest;
        isOfRing = live !== null;
        yield found;
      }
    } finally {
      this.leave(topic);
    }
  }

  hints(signal: AbortSignal): AsyncIterable<SessionsChanged> {
    return this.hintFeed.follow(signal);
  }

  async close(): Promise<void> {
    if (!this.closed) {
      this.closed = true;
      clearInterval(this.checkTimer);
      clearTimeout(this.downTimer);
      this.deps.blocking.off("close", this.onDown);
      this.deps.blocking.off("ready", this.onUp);
      for (const topic of this.topics.values()) topic.fail(CLOSED);
      this.hintFeed.close();
      this.deps.blocking.disconnect();
      // A command that waits for a reconnection is not settled by that.
      this.reading?.reject(CLOSED);
    }
    await this.loop;
  }

  private enter(sessionId: string, after: LogPosition): Topic {
    let topic = this.topics.get(sessionId);
    if (topic === undefined) {
      topic = createTopic(sessionId);
      if (this.closed) topic.fail(CLOSED);
      else {
        this.topics.set(sessionId, topic);
        this.wake();
      }
    }
    topic.saw(after);
    topic.followers++;
    this.followers++;
    return topic;
  }

  private leave(topic: Topic): void {
    this.followers--;
    topic.followers--;
    if (topic.followers === 0) this.forget(topic);
  }

  private forget(topic: Topic): void {
    if (this.topics.get(topic.sessionId) === topic) this.topics.delete(topic.sessionId);
  }

  /** True when the follower should end quietly; throws when it has to be told. */
  private isOver(topic: Topic): boolean {
    if (topic.failure === CLOSED) return true;
    if (topic.failure !== null) throw topic.failure;
    if (this.isAway) throw away();
    return false;
  }

  /** What follows `at`: of the ring (`live`), or of the journal. Rejects with `LogRestart` when it does not go on behind `last`. */
  private async page(
    topic: Topic,
    at: number,
    last: LogPosition,
    live: readonly HubEntry[] | null,
  ): Promise<Found> {
    try {
      const { entries, base } = live === null ? await this.history(topic, at) : { entries: live, base: at };
      const [first] = entries;
      if (first === undefined) return base;
      if (!(await goesOn(this.deps.journal, topic.sessionId, last, first))) throw lostTail(topic.sessionId);
      const newest = entries.at(-1);
      if (newest !== undefined) topic.saw(newest);
      return entries;
    } catch (error) {
      if (isTalariaError(error, "redis_unavailable")) return null;
      throw error;
    }
  }

  private history(topic: Topic, at: number): ReturnType<Topic["page"]> {
    return topic.page(at, async () => {
      this.historyReads++;
      return (await this.deps.journal.range(topic.sessionId, at, PAGE)).map(withJson);
    });
  }

  private async run(): Promise<void> {
    while (!this.closed) {
      try {
        await this.openTopics();
        await this.openHints();
        await this.readOnce();
      } catch (error) {
        this.blocked = false;
        if (this.closed) return;
        this.deps.log?.warn({ err: error }, "the hub could not read the journal; trying again");
        await pause(RETRY_MS);
      }
    }
  }

  /** Looks where the logs of newly followed sessions end; everything after it comes through the blocking read. */
  private async openTopics(): Promise<void> {
    const opening = [...this.topics.values()].filter(({ tail }) => tail === null);
    if (opening.length === 0) return;
    const heads = await this.deps.journal.heads(opening.map(({ sessionId }) => sessionId));
    for (const [index, topic] of opening.entries()) {
      const head = heads[index] ?? NOTHING;
      if (topic.seen.seq > head.seq) this.restarted(topic);
      else topic.open(head);
    }
  }

  private async openHints(): Promise<void> {
    if (this.hintsRead !== null) return;
    const [newest] = await this.deps.redis.xrevrange(this.deps.keys.hints, "+", "-", "COUNT", 1);
    this.hintsRead = newest?.[0] ?? "0-0";
    // Who follows already may have missed some.
    this.hintFeed.publish({});
  }

  private async readOnce(): Promise<void> {
    if (this.closed) return;
    const { blocking, keys, id } = this.deps;
    const byKey = new Map<string, Topic>();
    const streams = [keys.hub(id), keys.hints];
    const positions = [`${this.wakeRead}-0`, this.hintsRead ?? "0-0"];
    // From here on `wake` is needed; nothing is awaited between taking the set and sending the read.
    this.blocked = true;
    for (const topic of this.topics.values()) {
      if (topic.tail === null) continue;
      const key = keys.log(topic.sessionId);
      byKey.set(key, topic);
      streams.push(key);
      positions.push(`${topic.tail.seq}-${LAST_GENERATION}`);
    }
    // A session that was entered while others were being opened is still without a tail: come back at once for it.
    const block = byKey.size === this.topics.size ? MAX_BLOCK_MS : 1;
    const args = ["COUNT", READ_COUNT, "BLOCK", block, "STREAMS", ...streams, ...positions] as const;
    const reading = Promise.withResolvers<Reply>();
    this.reading = reading;
    (blocking.call("XREAD", ...args) as Promise<Reply>).then(reading.resolve, reading.reject);
    const reply = await reading.promise;
    this.blocked = false;
    if (reply === null) return;
    const taken = await Promise.allSettled(
      reply.map(async ([key, raw]) => {
        if (key === streams[0]) this.wakeRead = Number.parseInt(raw.at(-1)?.[0] ?? "0", 10);
        else if (key === keys.hints) this.takeHints(raw);
        else await this.take(byKey.get(key), raw);
      }),
    );
    // What could not be taken was not advanced over, and is read again.
    for (const result of taken) if (result.status === "rejected") throw result.reason;
  }

  private async take(topic: Topic | undefined, raw: readonly RawEntry[]): Promise<void> {
    if (topic === undefined || topic.tail === null || topic.failure !== null) return;
    const entries = raw.map((entry) => withJson(parseEntry(entry)));
    const [first] = entries;
    if (first === undefined) return;
    this.entriesRead += entries.length;
    if (!(await goesOn(this.deps.journal, topic.sessionId, topic.tail, first))) return this.restarted(topic);
    const share = (this.deps.maxRingChars ?? 64 * 1024 * 1024) / Math.max(1, this.topics.size);
    this.evicted += topic.publish(entries, Math.min(RING_CHARS.most, Math.max(RING_CHARS.least, share)));
  }

  private takeHints(raw: readonly RawEntry[]): void {
    for (const [id, fields] of raw) {
      this.hintsRead = id;
      this.hintFeed.publish(parseHint(fields[1] ?? ""));
    }
  }

  /** Finds logs that went back behind what their followers hold while nothing new could be read from them. */
  private async checkLogs(): Promise<void> {
    if (this.checking || this.closed || this.isDown) return;
    this.checking = true;
    const expected = [...this.topics.values()]
      .filter(({ tail, seen }) => tail !== null && seen.seq > 0)
      .map((topic) => ({ topic, seen: topic.seen }));
    try {
      const heads = await this.deps.journal.heads(expected.map(({ topic }) => topic.sessionId));
      for (const [index, { topic, seen }] of expected.entries()) {
        const head = heads[index] ?? NOTHING;
        const replaced = head.seq === seen.seq && seen.generation >= 0 && head.generation !== seen.generation;
        if (head.seq < seen.seq || replaced) this.restarted(topic);
      }
    } catch {
      // Redis is away: the connection says so itself.
    } finally {
      this.checking = false;
    }
  }

  private restarted(topic: Topic): void {
    this.forget(topic);
    topic.fail(lostTail(topic.sessionId));
  }

  /** Makes the blocking read return, so that it takes up the changed set. */
  private wake(): void {
    if (!this.blocked) return;
    this.blocked = false;
    const key = this.deps.keys.hub(this.deps.id);
    this.wakeSeq++;
    this.deps.redis
      .multi()
      .xadd(key, "MAXLEN", 1, `${this.wakeSeq}-0`, "w", "")
      .expire(key, WAKE_TTL_S)
      .exec()
      // Without it the read returns after its own time.
      .catch(() => {});
  }

  private readonly onDown = (): void => {
    if (this.isDown) return;
    this.isDown = true;
    this.downTimer = setTimeout(() => {
      this.isAway = true;
      for (const topic of this.topics.values()) topic.wake();
    }, this.outageMs);
    this.downTimer.unref();
  };

  private readonly onUp = (): void => {
    this.isDown = false;
    this.isAway = false;
    clearTimeout(this.downTimer);
    // Hints of an outage may never have been written.
    if (this.connected) this.hintFeed.publish({});
    this.connected = true;
    void this.checkLogs();
  };
}

const NOTHING: LogPosition = { seq: 0, generation: 0 };

const lostTail = (sessionId: string): LogRestart =>
  new LogRestart(`the log of ${sessionId} lost entries that were followed`);

const away = (): TalariaError =>
  new TalariaError("redis_unavailable", "the journal has been away for too long", { retryAfterS: 2 });

const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const over = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", over);
      resolve();
    };
    const timer = setTimeout(over, ms);
    signal?.addEventListener("abort", over, { once: true });
  });

import type { Redis } from "ioredis";

/** The plainest durable relay there is: one XADD per event, one shared blocking XREAD, one XRANGE per page. */
export interface RedisLog {
  append(key: string, texts: readonly string[]): void;
  /** Resolves when everything appended before is in the stream, the end mark included. */
  end(key: string): Promise<void>;
  /** Calls with the frames of each read, from the first entry on. */
  follow(key: string, onFrames: (frames: string, ended: boolean) => void): void;
  /** Frames of the entries after `after`, page by page. */
  pages(key: string, after: string): AsyncIterable<string>;
}

const PAGE = 1_000;
const BLOCK_MS = 2_000;
const WAKE = "raw:wake";

type RawEntry = readonly [id: string, fields: readonly string[]];

export const createRedisLog = (redis: Redis, blocking: Redis): RedisLog => {
  const followed = new Map<
    string,
    { last: string; followers: ((frames: string, ended: boolean) => void)[] }
  >();
  let reading = false;

  const readForEver = async (): Promise<void> => {
    let wakeAt = "$";
    for (;;) {
      const keys = [...followed.keys()];
      const positions = keys.map((key) => followed.get(key)?.last ?? "0-0");
      const args = ["COUNT", 500, "BLOCK", BLOCK_MS, "STREAMS", WAKE, ...keys, wakeAt, ...positions] as const;
      const reply = (await blocking.call("XREAD", ...args)) as [string, RawEntry[]][] | null;
      for (const [key, entries] of reply ?? []) {
        if (key === WAKE) wakeAt = entries.at(-1)?.[0] ?? wakeAt;
        else publish(key, entries);
      }
    }
  };
  const publish = (key: string, entries: readonly RawEntry[]): void => {
    const topic = followed.get(key);
    if (topic === undefined) return;
    topic.last = entries.at(-1)?.[0] ?? topic.last;
    const ended = entries.at(-1)?.[1][1] === "end";
    const frames = entries.map(frameOf).join("");
    for (const onFrames of topic.followers) onFrames(frames, ended);
    if (ended) followed.delete(key);
  };

  return {
    append: (key, texts) => {
      for (const text of texts) void redis.xadd(key, "*", "e", "token", "d", JSON.stringify({ text }));
    },
    end: async (key) => {
      await redis.xadd(key, "*", "e", "end", "d", "{}");
    },
    follow: (key, onFrames) => {
      const topic = followed.get(key) ?? { last: "0-0", followers: [] };
      topic.followers.push(onFrames);
      followed.set(key, topic);
      if (!reading) {
        reading = true;
        void readForEver();
      }
      void redis.xadd(WAKE, "MAXLEN", 1, "*", "w", "");
    },
    async *pages(key, after) {
      for (let last = after; ; ) {
        const entries = (await redis.xrange(key, `(${last}`, "+", "COUNT", PAGE)) as RawEntry[];
        if (entries.length === 0) return;
        last = entries.at(-1)?.[0] ?? last;
        yield entries.map(frameOf).join("");
      }
    },
  };
};

/** Fields stand in the order they were added: event name, then data. */
const frameOf = ([id, fields]: RawEntry): string =>
  `id: ${id}\nevent: ${fields[1] ?? ""}\ndata: ${fields[3] ?? ""}\n\n`;

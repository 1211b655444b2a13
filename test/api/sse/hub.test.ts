import { expect, test } from "@jest/globals";
import type { Redis } from "ioredis";
import { createHub, type HubDeps } from "../../../api/sse/hub.ts";
import { type Hub, type HubEntry, LOG_START, type LogPosition } from "../../../api/sse/port.ts";
import { publishHint } from "../../../common/journal/hints.ts";
import type { Journal } from "../../../common/journal/port.ts";
import { connectRedis } from "../../../common/redis/connect.ts";
import { counted, END, type JournalBench, playRun, token, withJournal } from "../../helpers/journal.ts";
import { freshPrefix, startRedis } from "../../helpers/redis.ts";

const S = "s_1";
const first = { sessionId: S, runId: "run_a", generation: 1, attempt: 1 };
const second = { ...first, generation: 2, attempt: 2 };

interface HubBench extends JournalBench {
  readonly hub: Hub;
  readonly blocking: Redis;
}

const withHub = (
  work: (bench: HubBench) => Promise<void>,
  options: Partial<HubDeps> & { readonly url?: string } = {},
): Promise<void> =>
  withJournal(
    async (bench) => {
      const blocking = connectRedis(bench.url, "blocking");
      const { journal, redis, keys } = bench;
      const hub = createHub({ ...{ journal, redis, blocking, keys, id: freshPrefix() }, ...options });
      try {
        await work({ ...bench, hub, blocking });
      } finally {
        await hub.close();
      }
    },
    options.url === undefined ? {} : { url: options.url },
  );

/** Follows until `until` seq (or for ever), collecting; `stop` drops the connection. */
const follower = (hub: Hub, after: number | LogPosition = 0, sessionId = S) => {
  const leave = new AbortController();
  const got: HubEntry[] = [];
  const waiting: { readonly seq: number; readonly reached: () => void }[] = [];
  const over = (async () => {
    for await (const batch of hub.follow(
      sessionId,
      typeof after === "number" ? { seq: after, generation: -1 } : after,
      leave.signal,
    )) {
      got.push(...batch);
      for (const { seq, reached } of waiting) if ((got.at(-1)?.seq ?? 0) >= seq) reached();
    }
  })();
  over.catch(() => {});
  return {
    got,
    over,
    seqs: () => got.map(({ seq }) => seq),
    reach: (seq: number) =>
      Promise.race([
        over.then(() => Promise.reject(new Error("ended before it got there"))),
        new Promise<void>((resolve) => {
          if ((got.at(-1)?.seq ?? 0) >= seq) resolve();
          else waiting.push({ seq, reached: resolve });
        }),
      ]),
    stop: () => {
      leave.abort();
      return over;
    },
  };
};

/** One run that goes on as long as the test wants. */
const producer = async (journal: Journal) => {
  await journal.claim(first, 0);
  let batch = 0;
  let seq = 0;
  return {
    emit: async (count: number): Promise<number> => {
      await journal.append(
        first,
        ++batch,
        counted(seq + 1, count).map((n) => token(`${n}`)),
      );
      seq += count;
      return seq;
    },
  };
};

test("history and live entries come in one order, each with its frame's data", () =>
  withHub(async ({ hub, journal }) => {
    const run = await producer(journal);
    await run.emit(700);
    const reader = follower(hub);
    await reader.reach(700);
    await run.emit(300);
    await reader.reach(1_000);
    await journal.announce({ sessionId: S, runId: null, generation: 1, attempt: 0, minSeq: 0 }, "t", [
      { event: "session_changed", data: '{"reason":"patched"}' },
    ]);
    await reader.reach(1_001);
    await reader.stop();
    expect(reader.seqs()).toEqual(counted(1, 1_001));
    expect(reader.got[0]?.json).toBe('{"run_id":"run_a","run_seq":1,"attempt":1,"text":"1"}');
    expect(reader.got.at(-1)?.json).toBe('{"reason":"patched"}');
    expect(hub.stats).toMatchObject({ followers: 0, sessions: 0 });
  }));

test("connect-drop-connect: coming back with the last position gives nothing until there is something new", () =>
  withHub(async ({ hub, journal }) => {
    const run = await producer(journal);
    await run.emit(3);
    const before = follower(hub);
    await before.reach(3);
    await before.stop();
    const after = follower(hub, 3);
    const beside = follower(hub, 2);
    await beside.reach(3);
    expect(after.got).toEqual([]);
    await run.emit(1);
    await after.reach(4);
    expect(after.seqs()).toEqual([4]);
    await Promise.all([after.stop(), beside.stop()]);
  }));

test("second-tab-does-not-eat-gap: what one tab received while the other was away is there for both", () =>
  withHub(async ({ hub, journal }) => {
    const run = await producer(journal);
    const a = follower(hub);
    const b = follower(hub);
    await run.emit(5);
    await Promise.all([a.reach(5), b.reach(5)]);
    await a.stop();
    await run.emit(40);
    await b.reach(45);
    const again = follower(hub, 5);
    await run.emit(5);
    await Promise.all([again.reach(50), b.reach(50)]);
    expect([...a.got, ...again.got]).toEqual(b.got);
    await Promise.all([again.stop(), b.stop()]);
  }));

test("many followers of many sessions share one connection, and live entries are read once", () =>
  withHub(async ({ hub, journal, redis }) => {
    const sessions = counted(1, 30).map((n) => `s_${n}`);
    const readers = sessions.flatMap((id) => counted(1, 4).map(() => follower(hub, 0, id)));
    const play = (sessionId: string) => playRun(journal, { ...first, sessionId }, ["a", "b", "c"]);
    await Promise.all(sessions.map(play));
    await Promise.all(readers.map((reader) => reader.reach(5)));
    expect(hub.stats).toMatchObject({ followers: 120, sessions: 30 });
    expect(hub.stats.entriesRead).toBeLessThanOrEqual(30 * 5);
    expect(String(await redis.client("LIST")).match(/cmd=xread/g)).toHaveLength(1);
    for (const reader of readers) expect(reader.seqs()).toEqual([1, 2, 3, 4, 5]);
    await Promise.all(readers.map((reader) => reader.stop()));
  }));

test("a session followed while the read waits is taken up at once", () =>
  withHub(async ({ hub, journal, redis }) => {
    const quiet = follower(hub, 0, "s_quiet");
    const blocked = async (): Promise<boolean> => / cmd=xread /.test(String(await redis.client("LIST")));
    const start = performance.now();
    for (let round = 2; round <= 6; round++) {
      while (!(await blocked())) await new Promise((resolve) => setImmediate(resolve));
      const sessionId = `s_${round}`;
      const reader = follower(hub, 0, sessionId);
      await journal.claim({ ...first, sessionId }, 0);
      await reader.reach(
        (await journal.append({ ...first, sessionId }, 1, END, true)).status === "ok" ? 2 : 0,
      );
      await reader.stop();
    }
    // Waiting for the read's own end would take 2 s each time.
    expect(performance.now() - start).toBeLessThan(9_500);
    await quiet.stop();
  }));

test("a reader that takes its time gets everything, from a ring that has long gone on", () =>
  withHub(
    async ({ hub, journal }) => {
      const run = await producer(journal);
      const quick = follower(hub);
      const leave = new AbortController();
      const slow = hub.follow(S, LOG_START, leave.signal)[Symbol.asyncIterator]();
      await run.emit(10);
      const got = [...((await slow.next()).value ?? [])];
      for (let round = 0; round < 30; round++) await run.emit(100);
      await quick.reach(3_010);
      while ((got.at(-1)?.seq ?? 0) < 3_010) got.push(...((await slow.next()).value ?? []));
      expect(got.map(({ seq }) => seq)).toEqual(counted(1, 3_010));
      expect(hub.stats.evicted).toBeGreaterThan(1_000);
      expect(hub.stats.evicted).toBeLessThan(hub.stats.entriesRead);
      expect(hub.stats.historyReads).toBeGreaterThan(0);
      leave.abort();
      expect(await slow.next()).toMatchObject({ done: true });
      await quick.stop();
    },
    { maxRingChars: 1 },
  ));

test("a log that is emptied and numbered anew ends its followers with LogRestart", () =>
  withHub(
    async ({ hub, journal, empty }) => {
      const run = await producer(journal);
      await run.emit(10);
      const reader = follower(hub);
      await reader.reach(10);
      await empty();
      await expect(reader.over).rejects.toMatchObject({ name: "LogRestart" });
    },
    { checkMs: 20 },
  ));

test("truncated tail: numbers that come back under another generation end the followers, whatever came first", () =>
  withHub(
    async ({ hub, journal, redis, keys }) => {
      const run = await producer(journal);
      await run.emit(10);
      const log = await redis.dumpBuffer(keys.log(S));
      const [head, state] = await Promise.all([
        redis.dumpBuffer(keys.head(S)),
        redis.dumpBuffer(keys.run(S, "run_a")),
      ]);
      await run.emit(10);
      const reader = follower(hub);
      await reader.reach(20);
      // The tail is lost and the log has gone on behind the reader's position before anybody could look.
      const restore = redis.multi();
      for (const [key, dump] of [
        [keys.log(S), log],
        [keys.head(S), head],
        [keys.run(S, "run_a"), state],
      ] as const)
        restore.restore(key, 0, dump ?? Buffer.alloc(0), "REPLACE");
      await restore.exec();
      await journal.claim(second, 0);
      await journal.append(
        second,
        1,
        counted(11, 15).map((n) => token(`new ${n}`)),
      );
      await expect(reader.over).rejects.toMatchObject({ name: "LogRestart" });
      expect(reader.seqs()).toEqual(counted(1, 20));
    },
    // Only the live read may find it out.
    { checkMs: 1_000_000 },
  ));

test("truncated tail: whoever comes with a lost position is told, also where the log has long gone on behind it", () =>
  withHub(
    async ({ hub, journal, redis, keys }) => {
      const run = await producer(journal);
      await run.emit(10);
      const kept = await Promise.all(
        [keys.log(S), keys.head(S), keys.run(S, "run_a")].map(
          async (key) => [key, await redis.dumpBuffer(key)] as const,
        ),
      );
      await run.emit(10);
      const restore = redis.multi();
      for (const [key, dump] of kept) restore.restore(key, 0, dump ?? Buffer.alloc(0), "REPLACE");
      await restore.exec();
      const watching = follower(hub, 10);
      await journal.claim(second, 0);
      const emit = (batch: number): Promise<unknown> =>
        journal.append(
          second,
          batch,
          counted(1, 10).map((n) => token(`new ${batch} ${n}`)),
        );
      await emit(1);
      await watching.reach(20);
      const lost = { seq: 15, generation: 1 };
      // Out of the ring of somebody who follows already, out of the journal, and where nothing has come since.
      const ended = { name: "LogRestart" };
      await expect(follower(hub, lost).over).rejects.toMatchObject(ended);
      await watching.stop();
      await expect(follower(hub, lost).over).rejects.toMatchObject(ended);
      const last = follower(hub, { seq: 20, generation: 1 });
      await emit(2);
      await expect(last.over).rejects.toMatchObject(ended);
      expect(last.got).toEqual([]);
      const held = follower(hub, { seq: 15, generation: 2 });
      await held.reach(30);
      expect(held.seqs()).toEqual(counted(16, 15));
      await held.stop();
    },
    // Only the reading may find it out.
    { checkMs: 1_000_000 },
  ));

test("a position that the log does not reach is told at once, not waited for", () =>
  withHub(async ({ hub, journal }) => {
    await playRun(journal, first, ["a"]);
    await expect(follower(hub, 50).over).rejects.toMatchObject({ name: "LogRestart" });
  }));

test("a take-over is not taken for a restart", () =>
  withHub(
    async ({ hub, journal }) => {
      const run = await producer(journal);
      await run.emit(5);
      const reader = follower(hub);
      await reader.reach(5);
      await journal.claim(second, 0);
      await journal.append(second, 1, END, true);
      await reader.reach(7);
      expect(reader.seqs()).toEqual(counted(1, 7));
      await reader.stop();
    },
    { checkMs: 5 },
  ));

test("Redis killed and restarted on its directory is a pause, nothing lost and nothing twice", async () => {
  const server = await startRedis({ appendonly: true });
  await withHub(
    async ({ hub, journal, redis }) => {
      const run = await producer(journal);
      await run.emit(5);
      const reader = follower(hub);
      await reader.reach(5);
      await server.kill();
      const again = await startRedis({ appendonly: true, dir: server.dir, port: server.port });
      if (redis.status !== "ready") await new Promise((resolve) => redis.once("ready", resolve));
      await run.emit(5);
      await reader.reach(10);
      expect(reader.seqs()).toEqual(counted(1, 10));
      await reader.stop();
      await again.stop();
    },
    { url: server.url },
  );
});

test("an outage longer than allowed is told to those who wait and to those who read", async () => {
  const server = await startRedis();
  await withHub(
    async ({ hub, journal }) => {
      const run = await producer(journal);
      await run.emit(5);
      const waiting = follower(hub);
      await waiting.reach(5);
      await server.kill();
      await expect(waiting.over).rejects.toMatchObject({ code: "redis_unavailable" });
      await expect(follower(hub, 0).over).rejects.toMatchObject({ code: "redis_unavailable" });
      expect(hub.stats).toMatchObject({ followers: 0, sessions: 0 });
    },
    { url: server.url, outageMs: 100 },
  );
});

test("closing ends followers and hints quietly, also new ones", () =>
  withHub(async ({ hub, journal }) => {
    await playRun(journal, first, ["a"]);
    const reader = follower(hub);
    await reader.reach(3);
    const hints = hub.hints(new AbortController().signal)[Symbol.asyncIterator]();
    const hint = (async () => {
      while (!(await hints.next()).done);
    })();
    await hub.close();
    await Promise.all([reader.over, hint, follower(hub).over]);
  }));

test("coalesced-hint-widens: two hints that wait name only what they have in common", () =>
  withHub(async ({ hub, redis, keys }) => {
    const leave = new AbortController();
    const slow = hub.hints(leave.signal)[Symbol.asyncIterator]();
    const quick = hub.hints(leave.signal)[Symbol.asyncIterator]();
    // The hub says that it listens from now on.
    for (const hints of [slow, quick]) expect(await hints.next()).toEqual({ value: {}, done: false });
    const [a, b] = [
      { session_id: "s_1", profile: "a" },
      { session_id: "s_2", profile: "b" },
    ];
    for (const hint of [a, b]) {
      await publishHint(redis, keys, hint);
      expect((await quick.next()).value).toEqual(hint);
    }
    expect((await slow.next()).value).toEqual({});
    for (const session_id of ["s_3", "s_4"]) {
      await publishHint(redis, keys, { session_id, profile: "a" });
      await quick.next();
    }
    expect((await slow.next()).value).toEqual({ profile: "a" });
    leave.abort();
    expect(await slow.next()).toMatchObject({ done: true });
  }));

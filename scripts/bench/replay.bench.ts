import { openBackbone } from "../../common/backbone/open.ts";
import { loadConfig } from "../../common/config/load.ts";
import { createLogger } from "../../common/logging/logger.ts";
import { connectRedis } from "../../common/redis/connect.ts";
import type { Bench, BenchContext, Measure } from "./harness/bench.ts";
import { followEvents } from "./harness/event-client.ts";
import { startRelay } from "./harness/raw.ts";
import { type BenchRedis, startBenchRedis } from "./harness/redis-server.ts";
import { type Archivist, seedRun } from "./harness/seed-run.ts";
import { type Stack, stackEnv, startStack } from "./harness/stack.ts";

/**
 * Question: how many events a second does a client get that reads an ended run of 10,000 and of 100,000 events, from its
 * start and from its middle, out of Redis and out of the archive?
 *
 * The raw limit pages the same payloads out of a plain stream (XRANGE, 1,000 at a time) and writes them as SSE. Criterion: the
 * rate from the middle is the rate from the start (a cursor is found without reading what is before it).
 */
export const replayBench: Bench = {
  name: "replay",
  question: "Events/s of one client that replays an ended run",
  run: async (context) => {
    const redis = await startBenchRedis(context.processes, context.dir);
    const env = stackEnv(context.dir, redis.url);
    const stack = await startStack(context, { model: null, redis });
    const backbone = await openBackbone(
      loadConfig(env),
      "api",
      createLogger({ name: "bench", level: "fatal" }),
    );
    try {
      const measures: Measure[] = [];
      for (const events of context.options.quick ? [10_000] : [10_000, 100_000]) {
        const run = await seedRun(backbone, events);
        measures.push(...(await measure(context, stack, redis, run, events)));
      }
      return measures;
    } finally {
      await backbone.closers.close(2_000);
      await stack.end();
    }
  },
};

const measure = async (
  context: BenchContext,
  stack: Stack,
  redis: BenchRedis,
  run: Archivist,
  events: number,
): Promise<Measure[]> => {
  const key = `raw:${events}`;
  const middleId = await fillPlainStream(redis.url, key, events);
  const relay = await startRelay(context, `raw-replay-${events}`, { redis });
  const total = run.entryCount;
  const half = Math.floor(events / 2);
  const url = stack.eventsUrl(run.id);
  const places = [
    { name: "from the start", headers: {}, expected: total, after: "0-0" },
    {
      name: "from the middle",
      headers: { "last-event-id": `${run.id}:${total - half}` },
      expected: half,
      after: middleId,
    },
  ] as const;
  const rounds = context.options.quick ? 2 : 3;
  const measures: Measure[] = [];
  const raw = new Map<string, number>();

  for (const place of places) {
    const address = `${relay.url}/replay/${key}?after=${place.after}`;
    const size = place.after === "0-0" ? events : events - half;
    raw.set(place.name, await best(rounds, () => replay(address, {}, size)));
  }
  for (const source of ["Redis", "archive"] as const) {
    if (source === "archive") await run.moveToArchive();
    for (const place of places) {
      const rate = await best(rounds, () => replay(url, place.headers, place.expected));
      measures.push({
        case: `${events.toLocaleString("en")} events ${place.name}, ${source}`,
        unit: "events/s",
        better: "higher",
        talaria: rate,
        raw: [{ name: "plain XRANGE to SSE", value: raw.get(place.name) ?? Number.NaN }],
      });
    }
  }
  context.say(`${events} events: ${measures.map(({ talaria }) => Math.round(talaria)).join(", ")} events/s`);
  await relay.process.end();
  return measures;
};

/** Events a second from the request to the last frame; checks that none is missing. */
const replay = async (
  url: string,
  headers: Readonly<Record<string, string>>,
  expected: number,
): Promise<number> => {
  let count = 0;
  const from = performance.now();
  const stream = followEvents(
    url,
    (frame) => {
      if (frame.startsWith("id: ")) count++;
    },
    headers,
  );
  await stream.ended;
  if (count !== expected) throw new Error(`${url}: ${count} events in place of ${expected}`);
  return count / ((performance.now() - from) / 1000);
};

/** The best of several: the others had the warm-up, or somebody else's work, in them. */
const best = async (rounds: number, work: () => Promise<number>): Promise<number> => {
  let most = 0;
  for (let round = 0; round < rounds; round++) most = Math.max(most, await work());
  return most;
};

/** The same payloads in a plain stream. Resolves with the id of its middle. */
const fillPlainStream = async (redisUrl: string, key: string, events: number): Promise<string> => {
  const redis = connectRedis(redisUrl, "command");
  let middle = "0-0";
  for (let from = 0; from < events; from += 1_000) {
    const count = Math.min(1_000, events - from);
    const ids = await Promise.all(
      Array.from({ length: count }, (_, index) =>
        redis.xadd(key, "*", "e", "token", "d", JSON.stringify({ text: `word${from + index} ` })),
      ),
    );
    if (from < events / 2) middle = ids[Math.min(count, Math.floor(events / 2) - from) - 1] ?? middle;
  }
  redis.disconnect();
  return middle;
};

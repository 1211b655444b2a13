import { setTimeout as delay } from "node:timers/promises";
import type { Bench, BenchContext, Measure } from "./harness/bench.ts";
import { type EventStream, followEvents } from "./harness/event-client.ts";
import { inLanes } from "./harness/numbers.ts";
import type { BenchProcess } from "./harness/processes.ts";
import { startRelay } from "./harness/raw.ts";
import { startStack } from "./harness/stack.ts";

/**
 * Question: how much memory of the api process does a follower cost that is only there, at 1,000 of them?
 *
 * Every follower follows a session of its own, as many browsers do: the costly case, because nothing is shared. Measured
 * after a forced garbage collection, before and with the followers. Criterion: below 100 KiB of resident memory each.
 */
export const memoryBench: Bench = {
  name: "memory",
  question: "Memory of the api per idle follower",
  run: async (context) => {
    const followers = context.options.quick ? 200 : 1_000;
    const relay = await startRelay(context, "raw-idle", { flags: ["--expose-gc"] });
    const raw = await measure(relay.process, followers, async () => `${relay.url}/idle`);
    await relay.process.end();
    const talaria = await withStack(context, followers);
    const name = "idle plain SSE stream";
    const kinds = [
      ["resident", "rss"],
      ["heap", "heap"],
    ] as const;
    return kinds.map(
      ([label, field]): Measure => ({
        case: `${followers.toLocaleString("en")} followers, ${label}`,
        unit: "KiB/follower",
        better: "lower",
        talaria: talaria[field],
        raw: [{ name, value: raw[field] }],
      }),
    );
  },
};

const WARM_FOLLOWERS = 100;
const SETTLE_MS = 2_000;

const withStack = async (context: BenchContext, followers: number): Promise<PerFollower> => {
  const stack = await startStack(context, { model: null, apiFlags: ["--expose-gc"] });
  const sessions: string[] = [];
  await inLanes(followers + WARM_FOLLOWERS, 32, async () => {
    sessions.push(await stack.createSession());
  });
  const urlOf = async (index: number) => `${stack.url}/api/sessions/${sessions[index] ?? ""}/events`;
  const result = await measure(stack.api, followers, urlOf);
  await stack.end();
  return result;
};

/** KiB. */
interface PerFollower {
  readonly rss: number;
  readonly heap: number;
}

const measure = async (
  server: BenchProcess,
  followers: number,
  urlOf: (index: number) => Promise<string>,
): Promise<PerFollower> => {
  // Warmed up with others, so that code and caches are not counted as followers.
  const warm = await openAll(WARM_FOLLOWERS, (index) => urlOf(followers + index));
  for (const stream of warm) stream.close();
  await delay(SETTLE_MS);
  const before = await server.usage();
  const streams = await openAll(followers, urlOf);
  await delay(SETTLE_MS);
  const after = await server.usage();
  for (const stream of streams) stream.close();
  return {
    rss: (after.rss - before.rss) / 1024 / followers,
    heap: (after.heapUsed + after.external - before.heapUsed - before.external) / 1024 / followers,
  };
};

/** Resolves when each has got its first frame. */
const openAll = async (
  count: number,
  urlOf: (index: number) => Promise<string>,
): Promise<readonly EventStream[]> => {
  const streams: EventStream[] = [];
  await inLanes(count, 32, async (index) => {
    const url = await urlOf(index);
    await new Promise<void>((resolve, reject) => {
      const stream = followEvents(url, () => resolve());
      stream.ended.catch(reject);
      streams.push(stream);
    });
  });
  return streams;
};

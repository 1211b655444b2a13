import type { Bench, Measure } from "./harness/bench.ts";
import { type EventStream, followEvents } from "./harness/event-client.ts";
import { type Load, watchLoad } from "./harness/load.ts";
import { SYSTEMS, type System } from "./harness/systems.ts";
import { TokenReader } from "./harness/token-reader.ts";

/**
 * Question: how many events a second reach clients when models talk as fast as they can, with 1 and with 10 followers per run?
 *
 * Eight runs at once; counted from the first token at any client to the last at all of them. Criterion: ten followers get
 * clearly more events a second than one (a run is read from Redis once, whoever follows), and every follower gets every token.
 */
export const fanOutBench: Bench = {
  name: "fan-out",
  question: "Events/s to all clients, models at full speed, 8 runs at once",
  run: async (context) => {
    const results = new Map<string, Result[]>();
    for (const start of SYSTEMS) {
      const system = await start(context);
      await measure(system, 1, WARM_TOKENS);
      const list: Result[] = [];
      for (const followers of FOLLOWERS) {
        list.push(await measure(system, followers, context.options.quick ? 1_000 : 4_000));
        context.say(`${system.name}, ${followers} followers: ${list.at(-1)?.perSecond} events/s`);
      }
      results.set(system.name, list);
      await system.end();
    }
    return FOLLOWERS.map((followers, index) => figure(followers, index, results));
  },
};

const FOLLOWERS = [1, 10] as const;
const RUNS = 8;
const WARM_TOKENS = 500;
/** Every follower is there before the first token. */
const SILENCE_MS = 1_500;

interface Result {
  readonly perSecond: number;
  readonly load: Load;
}

const measure = async (system: System, followers: number, tokens: number): Promise<Result> => {
  const input = `[[fake tokens=${tokens} ttft=${SILENCE_MS} stamp=1]]`;
  let first = 0;
  let last = 0;
  const readers: TokenReader[] = [];
  const streams: EventStream[] = [];
  const keys = await Promise.all(Array.from({ length: RUNS }, () => system.prepare()));
  for (const key of keys) {
    const url = await system.begin(key, input, followers);
    for (let n = 0; n < followers; n++) {
      const reader = new TokenReader((_stampUs, nowUs) => {
        if (first === 0) first = nowUs;
        last = nowUs;
      });
      readers.push(reader);
      streams.push(followEvents(url, (frame) => reader.read(frame)));
    }
  }
  const stop = await watchLoad(system.processes, system.redis);
  await Promise.all(streams.map((stream) => stream.ended));
  const short = readers.filter((reader) => reader.count !== tokens).length;
  if (short > 0) throw new Error(`${short} of ${readers.length} followers did not get all tokens`);
  const events = tokens * readers.length;
  return { perSecond: Math.round(events / ((last - first) / 1e6)), load: await stop(events) };
};

const figure = (followers: number, index: number, all: ReadonlyMap<string, readonly Result[]>): Measure => ({
  case: `${followers} follower${followers === 1 ? "" : "s"} per run`,
  unit: "events/s",
  better: "higher",
  talaria: all.get("Talaria")?.[index]?.perSecond ?? Number.NaN,
  raw: [...all]
    .filter(([name]) => name !== "Talaria")
    .map(([name, list]) => ({ name, value: list[index]?.perSecond ?? Number.NaN })),
  details: Object.fromEntries([...all].map(([name, list]) => [name, list[index]?.load])),
});

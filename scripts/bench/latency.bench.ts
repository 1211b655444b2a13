import { setTimeout as delay } from "node:timers/promises";
import type { Bench, BenchContext, Measure } from "./harness/bench.ts";
import { type EventStream, followEvents } from "./harness/event-client.ts";
import { type Load, watchLoad } from "./harness/load.ts";
import { percentile, seededRandom } from "./harness/numbers.ts";
import { SYSTEMS, type System } from "./harness/systems.ts";
import { TokenReader } from "./harness/token-reader.ts";

/**
 * Question: how long is a token under way from the model's socket to the client, while 1, 50 and 200 runs stream 50 tokens
 * a second each?
 *
 * Every token carries the monotonic time of its sending; the client subtracts. Criterion: at 50 runs p95 below 25 ms; at
 * 200 runs the delivered rate equals the sent one, that is, nothing queues up. Every token must arrive once and in order,
 * and no run may be taken over by a second attempt.
 */
export const latencyBench: Bench = {
  name: "latency",
  question: "From the model's token to the client, 50 tokens/s per run",
  run: async (context) => {
    const results = new Map<string, Result[]>();
    for (const start of SYSTEMS) {
      const system = await start(context);
      const list: Result[] = [];
      for (const runs of context.options.quick ? QUICK_RUNS : RUNS) {
        list.push(await measure(context, system, runs));
        context.say(`${system.name}, ${runs} runs: ${summary(list.at(-1))}`);
      }
      results.set(system.name, list);
      await system.end();
    }
    return (results.get("Talaria") ?? []).flatMap((own, index) => figures(own, index, results));
  },
};

const RUNS = [1, 50, 200] as const;
const QUICK_RUNS = [1, 50] as const;
const RATE = 50;
/** Runs start this far apart on average, so that their tokens do not come in step. */
const SPREAD_MS = 10;
const WARM_MS = 1_500;
/** What the slowest start may take before the window begins. */
const SLACK_MS = 3_000;

interface Result {
  readonly runs: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly perSecond: number;
  /** Runs that another attempt had to take over; above 0 the machine could not keep up. */
  readonly restarts: number;
  /** Runs that did not end with `done`. */
  readonly failed: number;
  readonly load: Load;
}

const measure = async ({ options }: BenchContext, system: System, runs: number): Promise<Result> => {
  const windowMs = options.quick ? 3_000 : 7_000;
  const tokens = Math.ceil((RATE * (runs * SPREAD_MS + WARM_MS + windowMs + SLACK_MS)) / 1000);
  const random = seededRandom(runs);
  const prepared = await Promise.all(Array.from({ length: runs }, () => system.prepare()));
  const samples: number[] = [];
  let open = false;
  const readers: TokenReader[] = [];
  const streams: EventStream[] = [];

  for (const [index, key] of prepared.entries()) {
    const input = `[[fake tokens=${tokens} rate=${RATE} stamp=1 seed=${index + 1}]]`;
    const url = await system.begin(key, input, 1);
    const reader: TokenReader = new TokenReader((stampUs, nowUs) => {
      if (open) samples.push(nowUs - stampUs);
    });
    readers.push(reader);
    streams.push(followEvents(url, (frame) => reader.read(frame)));
    await delay(2 * SPREAD_MS * random());
  }
  const ended = Promise.all(streams.map((stream) => stream.ended));
  await until(() => readers.every(({ spoken }) => spoken), SLACK_MS);
  await delay(WARM_MS);
  const stop = await watchLoad(system.processes, system.redis);
  open = true;
  const from = performance.now();
  await delay(windowMs);
  open = false;
  const seconds = (performance.now() - from) / 1000;
  const load = await stop(samples.length);
  await ended;
  const failed = readers.filter(({ ending }) => ending !== null && ending !== "done").length;
  const short = readers.filter(
    ({ count, ending }) => count !== tokens && (ending ?? "done") === "done",
  ).length;
  if (short > 0) throw new Error(`${short} of ${runs} streams ended without all their tokens`);
  const sorted = Float64Array.from(samples, (us) => us / 1000);
  return {
    runs,
    p50: percentile(sorted, 50),
    p95: percentile(sorted, 95),
    p99: percentile(sorted, 99),
    perSecond: Math.round(samples.length / seconds),
    failed,
    restarts: readers.reduce((sum, reader) => sum + reader.restarts, 0),
    load,
  };
};

const summary = (result: Result | undefined): string => {
  if (result === undefined) return "nothing";
  const { p95, perSecond, restarts, failed } = result;
  const note = keptUp(result) ? "" : `; OVERLOADED: ${restarts} takeovers, ${failed} runs failed`;
  return `p95 ${p95.toFixed(1)} ms, ${perSecond} tokens/s${note}`;
};

/** Resolves when it holds; after `limitMs` in any case: the window has to lie inside the streams. */
const until = async (holds: () => boolean, limitMs: number): Promise<void> => {
  const limit = performance.now() + limitMs;
  while (!holds() && performance.now() < limit) await delay(20);
};

/** Whether the machine kept up: what was sent arrived, and no run was lost on the way. */
const keptUp = ({ runs, perSecond, restarts, failed }: Result): boolean =>
  perSecond >= 0.9 * RATE * runs && restarts === 0 && failed === 0;

const figures = (own: Result, index: number, all: ReadonlyMap<string, readonly Result[]>): Measure[] => {
  const raws = [...all].filter(([name]) => name !== "Talaria");
  const details = Object.fromEntries([...all].map(([name, list]) => [name, list[index]]));
  return (["p50", "p95", "p99"] as const).map((field) => ({
    case: `${own.runs} run${own.runs === 1 ? "" : "s"}${keptUp(own) ? "" : " (overloaded)"}, ${field}`,
    unit: "ms",
    better: "lower",
    talaria: own[field],
    raw: raws.map(([name, list]) => ({ name, value: list[index]?.[field] ?? Number.NaN })),
    ...(field === "p50" ? { details } : {}),
  }));
};

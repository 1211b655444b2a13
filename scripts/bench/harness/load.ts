import type { BenchProcess } from "./processes.ts";
import type { BenchRedis, RedisCounters } from "./redis-server.ts";

/** What a measurement cost the machine. */
export interface Load {
  readonly seconds: number;
  /** Per process: how much of one core it used, in percent; `client` is the benchmark itself. */
  readonly cpuPercent: Readonly<Record<string, number>>;
  /** Per process: microseconds of processor time per event. */
  readonly cpuUsPerEvent: Readonly<Record<string, number>>;
  readonly redisCommandsPerSecond: number | null;
  /** The Redis commands that were called most, per second. */
  readonly redisCalls: Readonly<Record<string, number>> | null;
}

/** Starts watching; the returned function ends it and relates what was used to `events`. */
export const watchLoad = async (
  processes: Readonly<Record<string, BenchProcess>>,
  redis: BenchRedis | null,
): Promise<(events: number) => Promise<Load>> => {
  const names = Object.keys(processes);
  const take = async () => {
    const counters = await redis?.counters();
    const used = await Promise.all(names.map(async (name) => (await processes[name]?.usage())?.cpuUs ?? 0));
    const { user, system } = process.cpuUsage();
    const cpu: Record<string, number> = { client: user + system };
    for (const [index, name] of names.entries()) cpu[name] = used[index] ?? 0;
    if (counters !== undefined) cpu.redis = counters.cpuUs;
    return { at: performance.now(), cpu, counters };
  };
  const before = await take();
  return async (events) => {
    const after = await take();
    const seconds = (after.at - before.at) / 1000;
    const used = Object.entries(after.cpu).map(([name, us]) => [name, us - (before.cpu[name] ?? 0)] as const);
    const calls = callsBetween(before.counters, after.counters, seconds);
    return {
      seconds: round(seconds),
      cpuPercent: Object.fromEntries(used.map(([name, us]) => [name, round(us / seconds / 10_000)])),
      cpuUsPerEvent: Object.fromEntries(used.map(([name, us]) => [name, round(us / events)])),
      redisCommandsPerSecond:
        before.counters === undefined || after.counters === undefined
          ? null
          : round((after.counters.commands - before.counters.commands) / seconds),
      redisCalls: calls,
    };
  };
};

const callsBetween = (
  before: RedisCounters | undefined,
  after: RedisCounters | undefined,
  seconds: number,
): Readonly<Record<string, number>> | null => {
  if (before === undefined || after === undefined) return null;
  const rates = Object.entries(after.calls)
    .map(([name, count]) => [name, round((count - (before.calls[name] ?? 0)) / seconds)] as const)
    .filter(([, rate]) => rate >= 1);
  return Object.fromEntries(rates.sort((a, b) => b[1] - a[1]).slice(0, 12));
};

const round = (value: number): number => Math.round(value * 10) / 10;

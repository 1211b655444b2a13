/**
 * Scopes of profiles beside bare runs, in one process: says how it went and waits for SIGTERM. The rounds of both kinds take
 * turns, so that whatever else the machine does meets both.
 */
import { installProfileEnv } from "../../../workers/environment/profile-env.ts";
import { inLanes, percentile } from "../harness/numbers.ts";

export interface ScopeFigures {
  readonly lanes: number;
  /** Runs per second, medians of the rounds. */
  readonly bare: number;
  readonly scoped: number;
  /** Microseconds: the lock, and the same change of a set measured the same way without one. */
  readonly holds: Figures;
  readonly change: Figures;
}

export interface Figures {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Nanoseconds. */
export interface ReadFigures {
  readonly bare: number;
  readonly outside: number;
  readonly insideOwn: number;
  readonly insideBase: number;
  readonly bareCopy: number;
  readonly insideCopy: number;
}

const VARS = Object.fromEntries(
  Array.from({ length: 10 }, (_, i) => [`PROFILE_VARIABLE_${i}`, `value ${i}`]),
);
const rounds = Number(process.argv[2]);
const runs = Number(process.argv[3]);

/** The least a run can do: it gives way once to everything else. */
const run = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const median = (values: readonly number[]): number => percentile(Float64Array.from(values), 50);

const perSecond = async (lanes: number, work: () => Promise<void>): Promise<number> => {
  const since = performance.now();
  await inLanes(runs, lanes, work);
  return runs / ((performance.now() - since) / 1000);
};

/** What the lock's hold contains and nothing else: a set that gets and loses an entry. */
const bareChanges = (lanes: number): Figures => {
  const open = new Set<object>();
  const waiting: object[] = [];
  const took: number[] = [];
  const timed = (change: () => void): void => {
    const since = performance.now();
    change();
    took.push((performance.now() - since) * 1000);
  };
  for (let i = 0; i < runs; i++) {
    const entry = {};
    waiting.push(entry);
    timed(() => open.add(entry));
    const leaving = waiting.length >= lanes ? waiting.shift() : undefined;
    if (leaving !== undefined) timed(() => open.delete(leaving));
  }
  const values = Float64Array.from(took);
  return { p50: percentile(values, 50), p99: percentile(values, 99), max: percentile(values, 100) };
};

const scopes = async (lanes: number): Promise<ScopeFigures> => {
  const bare: number[] = [];
  const scoped: number[] = [];
  const held: Figures[] = [];
  const changed: Figures[] = [];
  for (let round = 0; round < rounds; round++) {
    bare.push(await perSecond(lanes, run));
    changed.push(bareChanges(lanes));
    const environment = installProfileEnv();
    scoped.push(await perSecond(lanes, () => environment.withProfileEnv(VARS, run)));
    const { p50Us, p99Us, maxUs } = environment.statistics();
    held.push({ p50: p50Us, p99: p99Us, max: maxUs });
    environment.uninstall();
  }
  return { lanes, bare: median(bare), scoped: median(scoped), holds: joined(held), change: joined(changed) };
};

/** Medians of the rounds' percentiles, and the maximum of all. */
const joined = (figures: readonly Figures[]): Figures => ({
  p50: median(figures.map(({ p50 }) => p50)),
  p99: median(figures.map(({ p99 }) => p99)),
  max: Math.max(...figures.map(({ max }) => max)),
});

const READS = 200_000;
const COPIES = 2_000;
let kept: unknown;

const nsEach = (times: number, work: () => unknown): number => {
  const since = performance.now();
  for (let i = 0; i < times; i++) kept = work();
  return ((performance.now() - since) * 1e6) / times;
};

const reads = async (): Promise<ReadFigures> => {
  const all: ReadFigures[] = [];
  const base = (): unknown => process.env.BENCH_VARIABLE;
  const own = (): unknown => process.env.PROFILE_VARIABLE_3;
  const copy = (): unknown => ({ ...process.env });
  for (let round = 0; round < rounds; round++) {
    const bare = nsEach(READS, base);
    const bareCopy = nsEach(COPIES, copy);
    const environment = installProfileEnv();
    const outside = nsEach(READS, base);
    const inside = await environment.withProfileEnv(VARS, async () => ({
      insideOwn: nsEach(READS, own),
      insideBase: nsEach(READS, base),
      insideCopy: nsEach(COPIES, copy),
    }));
    environment.uninstall();
    all.push({ bare, bareCopy, outside, ...inside });
  }
  const middle = (name: keyof ReadFigures): number => median(all.map((figures) => figures[name]));
  return {
    bare: middle("bare"),
    outside: middle("outside"),
    insideOwn: middle("insideOwn"),
    insideBase: middle("insideBase"),
    bareCopy: middle("bareCopy"),
    insideCopy: middle("insideCopy"),
  };
};

process.on("SIGTERM", () => process.exit(0));
// The environment of a machine in use: enumerating costs by its size.
process.env.BENCH_VARIABLE = "a value";
for (let i = 0; i < 40; i++) process.env[`BENCH_FILLER_${i}`] = `/usr/share/some/folder/of/many/${i}`;
process.once("message", async () => {
  const result = { scopes: [await scopes(1), await scopes(40), await scopes(400)], reads: await reads() };
  process.send?.({ type: "result", result, kept: typeof kept });
});
process.send?.({ type: "ready" });

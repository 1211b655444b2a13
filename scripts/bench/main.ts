/**
 * `npm run bench`: measures each hot path of Talaria beside its raw limit, in the same run on the same machine, and
 * prints a table with ratios. Everything runs on loopback, in folders and with a Redis of its own, and ends with it.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fanOutBench } from "./fan-out.bench.ts";
import type { Bench } from "./harness/bench.ts";
import { describeMachine } from "./harness/machine.ts";
import { readOptions, USAGE } from "./harness/options.ts";
import { createProcesses } from "./harness/processes.ts";
import { startBenchRedis } from "./harness/redis-server.ts";
import { type BenchResult, reportJson, reportText } from "./harness/report.ts";
import { latencyBench } from "./latency.bench.ts";
import { memoryBench } from "./memory.bench.ts";
import { profileEnvBench } from "./profile-env.bench.ts";
import { replayBench } from "./replay.bench.ts";
import { runsBench } from "./runs.bench.ts";
import { stateDbBench } from "./state-db.bench.ts";
import { transcriptsBench } from "./transcripts.bench.ts";

const BENCHES: readonly Bench[] = [
  latencyBench,
  fanOutBench,
  replayBench,
  runsBench,
  memoryBench,
  stateDbBench,
  transcriptsBench,
  profileEnvBench,
];
/** A benchmark that has not ended by then measures a fault and nothing else. */
const LIMIT_MS = { full: 900_000, quick: 300_000 } as const;

const main = async (): Promise<void> => {
  const options = readOptions(
    process.argv.slice(2),
    BENCHES.map(({ name }) => name),
  );
  if (options.profileDir !== null) mkdirSync(options.profileDir, { recursive: true });
  const processes = createProcesses(options.profileDir);
  const root = mkdtempSync(join(tmpdir(), "talaria-bench-"));
  process.once("exit", () => {
    processes.killAll();
    rmSync(root, { recursive: true, force: true });
  });
  const stop = (why: string): void => {
    console.error(`\n${why}`);
    process.exit(1);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop(`ended by ${signal}`));
  const limit = options.quick ? LIMIT_MS.quick : LIMIT_MS.full;
  setTimeout(() => stop(`not done after ${limit / 1000} s`), limit).unref();
  const newDir = (name: string): string => {
    const dir = join(root, name);
    mkdirSync(dir);
    return dir;
  };

  const probe = await startBenchRedis(processes, newDir("probe"));
  const machine = describeMachine(probe.version);
  await probe.end();

  const results: BenchResult[] = [];
  for (const bench of BENCHES.filter(({ name }) => options.only.includes(name))) {
    console.log(`${bench.name}: ${bench.question}`);
    const from = performance.now();
    const say = (line: string): void => console.log(`  ${line}`);
    const measures = await bench.run({ options, processes, dir: newDir(bench.name), say });
    await processes.endAll();
    const seconds = Math.round((performance.now() - from) / 1000);
    results.push({ name: bench.name, question: bench.question, seconds, measures });
  }
  console.log(`\n${reportText(machine, results)}`);
  writeFileSync(options.out, reportJson(machine, results));
  console.log(`\nWritten to ${options.out}.`);
  process.exit(0);
};

const fail = (error: unknown): void => {
  const wrongUsage = (error as { code?: string }).code?.startsWith("ERR_PARSE_ARGS") === true;
  const { message, stack } = error as Error;
  console.error(wrongUsage ? `${message}\n${USAGE}` : (stack ?? message));
  process.exit(1);
};

// A check inside a stream's handler throws where no promise catches it.
process.on("uncaughtException", fail);
main().catch(fail);

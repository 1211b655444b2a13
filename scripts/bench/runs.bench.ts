import { join } from "node:path";
import Database from "better-sqlite3";
import { Queue } from "bullmq";
import { connectRedis } from "../../common/redis/connect.ts";
import type { Bench, BenchContext, Measure } from "./harness/bench.ts";
import { eventOf, followEvents } from "./harness/event-client.ts";
import { type Load, watchLoad } from "./harness/load.ts";
import { inLanes } from "./harness/numbers.ts";
import { startBenchRedis } from "./harness/redis-server.ts";
import { startModel, startStack } from "./harness/stack.ts";

/**
 * Question: how many trivial runs (one token) a second go the whole way: accepted durably, queued, executed, streamed to
 * a follower, committed to talaria.db and state.db, ended?
 *
 * 32 clients, each with one session: POST, follow until `stream_end`, again. Raw limits: BullMQ jobs that do nothing, and
 * single-row SQLite transactions with the same durability on the same disk. Criterion: every run ends with `done`, and no
 * start is refused (503).
 */
export const runsBench: Bench = {
  name: "runs",
  question: "Trivial runs per second, end to end with the commit",
  run: async (context) => {
    const runs = context.options.quick ? 300 : 1_500;
    const jobs = await noopJobs(context, context.options.quick ? 3_000 : 15_000);
    context.say(`no-op BullMQ jobs: ${Math.round(jobs)} jobs/s`);
    const inserts = bareInserts(context, context.options.quick ? 1_000 : 5_000);
    context.say(`bare SQLite inserts: ${Math.round(inserts)} inserts/s`);
    const { rate, refusals, load } = await trivialRuns(context, runs);
    context.say(
      `Talaria: ${rate.toFixed(0)} runs/s${refusals === 0 ? "" : `, ${refusals} starts answered 503`}`,
    );
    const figure: Measure = {
      case: `${CLIENTS} clients`,
      unit: "runs/s",
      better: "higher",
      talaria: rate,
      raw: [
        { name: "no-op BullMQ jobs", value: jobs },
        { name: "bare SQLite inserts", value: inserts },
      ],
      details: { refusals, load },
    };
    return [figure];
  },
};

const CLIENTS = 32;
const WARM_RUNS = 64;
const IN_FLIGHT = 64;

const trivialRuns = async (
  context: BenchContext,
  runs: number,
): Promise<{ rate: number; refusals: number; load: Load }> => {
  const model = await startModel(context);
  const stack = await startStack(context, { model });
  const sessions = await Promise.all(Array.from({ length: CLIENTS }, () => stack.createSession()));
  const free = [...sessions];
  const oneRun = async (): Promise<void> => {
    const session = free.pop();
    if (session === undefined) throw new Error("there are more lanes than sessions");
    const run = await stack.startRun(session, "[[fake tokens=1]]");
    let end = "";
    await followEvents(stack.eventsUrl(run), (frame) => {
      const event = eventOf(frame);
      if (event !== "" && event !== "stream_end") end = event;
    }).ended;
    if (end !== "done") throw new Error(`a run ended with "${end}"`);
    free.push(session);
  };
  await inLanes(WARM_RUNS, CLIENTS, oneRun);
  const worker = stack.worker === null ? {} : { worker: stack.worker };
  const stop = await watchLoad({ api: stack.api, model: model.process, ...worker }, stack.redis);
  const from = performance.now();
  await inLanes(runs, CLIENTS, oneRun);
  const rate = runs / ((performance.now() - from) / 1000);
  const load = await stop(runs);
  const { refusals } = stack;
  await stack.end();
  await model.process.end();
  return { rate, refusals, load };
};

const noopJobs = async ({ processes, dir }: BenchContext, count: number): Promise<number> => {
  const redis = await startBenchRedis(processes, dir);
  const worker = await processes.startNode("scripts/bench/raw/noop-worker.ts", {
    name: "raw-worker",
    dir,
    env: { REDIS_URL: redis.url },
  });
  const connection = connectRedis(redis.url, "queue-producer");
  const queue = new Queue("noop", { connection, prefix: "raw" });
  const round = async (total: number): Promise<number> => {
    const done = worker.hears("done");
    worker.tell({ type: "expect", total });
    const from = performance.now();
    await inLanes(total, IN_FLIGHT, async (index) => {
      await queue.add("noop", { index }, { removeOnComplete: true });
    });
    await done;
    return total / ((performance.now() - from) / 1000);
  };
  await round(count / 10);
  const rate = await round(count);
  await queue.close();
  connection.disconnect();
  await worker.end();
  await redis.end();
  return rate;
};

/** One row per transaction, each on the disk before the next. */
const bareInserts = ({ dir }: BenchContext, count: number): number => {
  const db = new Database(join(dir, "bare.db"));
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  db.exec("create table rows (id integer primary key, body text not null)");
  const insert = db.prepare("insert into rows (body) values (?)");
  const body = "x".repeat(200);
  for (let n = 0; n < 100; n++) insert.run(body);
  const from = performance.now();
  for (let n = 0; n < count; n++) insert.run(body);
  const rate = count / ((performance.now() - from) / 1000);
  db.close();
  return rate;
};

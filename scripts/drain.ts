/**
 * `npm run drain -- <worker>… | --all`: tells workers to stop and waits until they have. Exit code 0 when all of them ended, 1 when
 * one did not or Redis is away, 2 for what cannot be understood.
 */
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { isTalariaError, messageOf } from "../common/base/errors.ts";
import { loadConfig } from "../common/config/load.ts";
import { createDrainOrders } from "../common/queues/drain-orders.ts";
import { createWorkerRegistry, type WorkerRegistry } from "../common/queues/worker-registry.ts";
import { connectRedis } from "../common/redis/connect.ts";
import { createKeys } from "../common/redis/keys.ts";
import { readPrivateRedis, redisDirOf, redisUrlOf } from "./setup/redis.mjs";

const NO_REDIS_URL = "redis://private.invalid";
const LOOK_EVERY_MS = 500;
/** Beyond the time that running work gets: a worker has this long to hand back and close. */
const MARGIN_MS = 15_000;

class Refused extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

const main = async (): Promise<void> => {
  const { names, all } = readArguments();
  const config = loadConfig(process.env, { fallbackRedisUrl: NO_REDIS_URL });
  const redis = connectRedis(urlOf(config), "command");
  try {
    const keys = createKeys(config.redis.prefix);
    const registry = createWorkerRegistry(redis, keys.workers);
    const live = (await registry.live()).map(({ name }) => name);
    const unknown = names.filter((name) => !live.includes(name));
    if (unknown.length > 0)
      throw new Refused(
        `There is no live worker called ${unknown.join(", ")}. ${live.length === 0 ? "No worker is running." : `Running: ${live.join(", ")}`}`,
        1,
      );
    const wanted = all ? live : names;
    if (wanted.length === 0) console.log("No worker is running.");
    const orders = createDrainOrders(redis, keys);
    for (const name of wanted) {
      await orders.give(name);
      console.log(`${name}: takes no more jobs; what runs gets a moment and is handed back`);
    }
    await ended(registry, wanted, config.worker.drainMs + MARGIN_MS);
  } finally {
    redis.disconnect();
  }
};

/** Resolves when none of them is heard of any more; tells each one's end. */
const ended = async (
  registry: Pick<WorkerRegistry, "live">,
  wanted: readonly string[],
  limitMs: number,
): Promise<void> => {
  const until = performance.now() + limitMs;
  let left = [...wanted];
  while (left.length > 0) {
    const live = new Set((await registry.live()).map(({ name }) => name));
    for (const name of left.filter((one) => !live.has(one))) console.log(`${name}: has ended`);
    left = left.filter((name) => live.has(name));
    if (left.length > 0 && performance.now() > until)
      throw new Refused(`Still there after ${limitMs / 1000} s: ${left.join(", ")}. The order stands.`, 1);
    if (left.length > 0) await delay(LOOK_EVERY_MS);
  }
};

const readArguments = (): { readonly names: readonly string[]; readonly all: boolean } => {
  const usage = "usage: npm run drain -- <worker>… | --all (their names are at /ops and in /api/ops)";
  try {
    const { values, positionals } = parseArgs({
      options: { all: { type: "boolean", default: false } },
      allowPositionals: true,
    });
    if (values.all === positionals.length > 0) throw new Refused(usage, 2);
    return { names: positionals, all: values.all };
  } catch (error) {
    throw error instanceof Refused ? error : new Refused(`${messageOf(error)}\n${usage}`, 2);
  }
};

/** As configured; else the private server that `npm start` of this home runs. */
const urlOf = ({ redis, stateDir }: ReturnType<typeof loadConfig>): string => {
  if (redis.url !== NO_REDIS_URL) return redis.url;
  const state = readPrivateRedis(redisDirOf(stateDir));
  if (state === null)
    throw new Refused(
      "No Redis is known: set REDIS_URL, or TALARIA_HOME to the home of a running `npm start`.",
      1,
    );
  return redisUrlOf(state);
};

try {
  await main();
} catch (error) {
  if (error instanceof Refused) console.error(error.message);
  else if (isTalariaError(error)) console.error(error.message);
  // An address may hold a password, and so may what the client says of it.
  else console.error("Redis cannot be reached.");
  process.exitCode =
    error instanceof Refused ? error.exitCode : isTalariaError(error, "config_invalid") ? 2 : 1;
}

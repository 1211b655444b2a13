import { Redis } from "ioredis";
import { messageOf } from "../../common/base/errors.ts";
import { isLoopback } from "../../common/config/load.ts";
import { findProgram } from "../setup/programs.mjs";
import { readPrivateRedis, redisDirOf, redisUrlOf } from "../setup/redis.mjs";
import { type Finding, fail, isAtLeast, ok, warn } from "./finding.ts";

const LEAST_VERSION = "6.2";

/** `url` null: the private server of this home, which runs only while `npm start` does. */
export const checkRedis = async (url: string | null, stateDir: string): Promise<readonly Finding[]> => {
  if (url !== null) return inspect(url, `${hostOf(url)} (REDIS_URL)`);
  const last = readPrivateRedis(redisDirOf(stateDir));
  const findings = last === null ? null : await inspect(redisUrlOf(last), "the private server");
  if (findings !== null && findings[0]?.level === "ok") return findings;
  const program = findProgram(["redis-server", "valkey-server"]);
  return program === null
    ? [
        fail(
          "Redis",
          "no server program was found: install redis-server (or valkey-server), or set REDIS_URL",
        ),
      ]
    : [ok("Redis", `the private server is not running; \`npm start\` starts it (${program})`)];
};

const inspect = async (url: string, what: string): Promise<readonly Finding[]> => {
  const redis = new Redis(url, { lazyConnect: true, connectTimeout: 3000, retryStrategy: () => null });
  // Without a listener ioredis writes to the console; the rejection below says it.
  redis.on("error", () => undefined);
  try {
    await redis.connect();
    return judge(await redis.info(), what, url);
  } catch (error) {
    return [fail("Redis", `${what} does not answer: ${messageOf(error)}`)];
  } finally {
    redis.disconnect();
  }
};

const judge = (info: string, what: string, url: string): readonly Finding[] => {
  const value = (name: string): string => new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1] ?? "";
  const version = value("redis_version");
  const policy = value("maxmemory_policy");
  const open = !url.startsWith("/") && !isLoopback(hostOf(url)) && URL.parse(url)?.password === "";
  return [
    isAtLeast(version, LEAST_VERSION)
      ? ok("Redis", `${what} answers, version ${version}`)
      : fail("Redis", `${what} is version ${version}; ${LEAST_VERSION} or newer is needed`),
    value("aof_enabled") === "1"
      ? ok("Redis", "the append-only file is on")
      : fail(
          "Redis",
          "the append-only file is off: set `appendonly yes`, or a restart loses what is running",
        ),
    policy === "noeviction"
      ? ok("Redis", "nothing is evicted")
      : fail("Redis", `maxmemory-policy is ${policy}: set \`maxmemory-policy noeviction\`, or jobs vanish`),
    ...(open ? [warn("Redis", "it is reached over the network without a password")] : []),
  ];
};

const hostOf = (url: string): string => (url.startsWith("/") ? url : (URL.parse(url)?.hostname ?? "?"));

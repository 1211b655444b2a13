import { expect, test } from "@jest/globals";
import { connectRedis } from "../../../common/redis/connect.ts";
import { createKeys } from "../../../common/redis/keys.ts";
import { loadScripts } from "../../../common/redis/scripts.ts";
import { freshPrefix, startRedis, testRedisUrl } from "../../helpers/redis.ts";

test("a command connection fails within its time while Redis is away, and answers again when it is back", async () => {
  const server = await startRedis();
  const errors: string[] = [];
  const redis = connectRedis(server.url, "command", { onError: (_, role) => errors.push(role) });
  await redis.set("key", "before");
  await server.kill();
  await expect(redis.get("key")).rejects.toThrow();
  const again = await startRedis({ port: server.port });
  await new Promise((resolve) => redis.once("ready", resolve));
  expect(await redis.get("key")).toBeNull();
  expect(new Set(errors)).toEqual(new Set(["command"]));
  redis.disconnect();
  await again.stop();
});

test("a server that stops answering is left, not waited for", async () => {
  const server = await startRedis();
  const redis = connectRedis(server.url, "command");
  await redis.set("key", "1");
  process.kill(server.pid, "SIGSTOP");
  const closed = new Promise((resolve) => redis.once("close", resolve));
  await expect(redis.get("key")).rejects.toThrow();
  // The socket is dropped as well: behind a dead network path it would never say anything again.
  await closed;
  process.kill(server.pid, "SIGCONT");
  redis.disconnect();
  await server.stop();
});

test("a blocking connection waits an outage out", async () => {
  const server = await startRedis();
  const redis = connectRedis(server.url, "blocking");
  await redis.set("key", "1");
  await server.kill();
  const reply = redis.get("key");
  const again = await startRedis({ port: server.port });
  expect(await reply).toBeNull();
  redis.disconnect();
  await again.stop();
});

test("scripts work on a server that has forgotten them", async () => {
  const redis = connectRedis(await testRedisUrl(), "command");
  const script = loadScripts(redis);
  const key = createKeys(freshPrefix()).run("s", "r");
  await redis.hset(key, "a", "1");
  expect(await script("journalMark", [key], ["b", 2])).toBe(1);
  await redis.script("FLUSH");
  expect(await script("journalMark", [key], ["b", 3])).toBe(1);
  expect(await redis.hget(key, "b")).toBe("3");
  await redis.del(key);
  redis.disconnect();
});

test("keys of a session share one slot; deployments share nothing", () => {
  const [a, b] = [createKeys("a"), createKeys("b")];
  const all = (keys: typeof a): string[] => [
    ...[keys.log("s1"), keys.head("s1"), keys.runs("s1"), keys.run("s1", "r1")],
    ...[keys.hints, keys.hub("h1"), keys.control],
  ];
  expect(new Set([...all(a), ...all(b)]).size).toBe(14);
  for (const key of all(a).slice(0, 4)) expect(/\{(.*?)\}/.exec(key)?.[1]).toBe("s1");
});

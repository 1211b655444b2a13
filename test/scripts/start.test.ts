import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { Redis } from "ioredis";
import { isAlive } from "../helpers/process.ts";
import { eventually } from "../helpers/wait.ts";
import { createFixture, type Fixture, listenOnFreePort } from "./fixture.ts";

/** The real scripts/start.mjs with stand-ins for api and worker: a private Redis, real processes, real signals. */
describe("npm start", () => {
  let house: Fixture;
  beforeEach(() => {
    house = createFixture();
  });
  afterEach(() => house.remove());

  test("starts Redis, api and worker, prints one URL, and on SIGTERM stops them in order", async () => {
    const start = house.start();
    const [, url = ""] = await start.until(/Talaria is running: (\S+)/);
    const { children } = house.state();
    const redisUrl = await (await fetch(url)).text();
    const redis = new Redis(redisUrl);
    const [appendonly, eviction] = await Promise.all([
      redis.config("GET", "appendonly"),
      redis.config("GET", "maxmemory-policy"),
    ]);
    expect([appendonly, eviction]).toEqual([
      ["appendonly", "yes"],
      ["maxmemory-policy", "noeviction"],
    ]);
    redis.disconnect();
    expect(start.output()).toContain("built-in demo");
    await start.until(/\[worker\] warning: careful run=run_1/);
    expect(statSync(join(house.home, "talaria", "redis", "redis.conf")).mode & 0o077).toBe(0);

    start.child.kill("SIGTERM");
    expect(await start.exit).toEqual({ code: 0, signal: null });
    expect(house.order()).toBe("worker\napi\n");
    expect(Object.values(children).map(isAlive)).toEqual([false, false, false]);
    expect(() => house.state()).toThrow();
  });

  test("what dies is back in about a second, the data of Redis included", async () => {
    const start = house.start();
    const [, url = ""] = await start.until(/running: (\S+)/);
    const before = house.state().children;
    const redis = new Redis(await (await fetch(url)).text());
    redis.on("error", () => undefined);
    await redis.set("kept", "yes");

    const killed = performance.now();
    process.kill(before.worker, "SIGKILL");
    const worker = await eventually("another worker", () => {
      const { worker: pid } = house.state().children;
      return pid !== before.worker && isAlive(pid) && pid;
    });
    expect(performance.now() - killed).toBeLessThan(1500);
    expect(worker).not.toBe(before.worker);

    process.kill(before.redis, "SIGKILL");
    await start.until(/\[redis\] ended \(SIGKILL\)/);
    expect(await redis.get("kept")).toBe("yes");
    redis.disconnect();
  });

  test("a second start on the same home says so and disturbs nothing", async () => {
    const start = house.start();
    const [, url = ""] = await start.until(/running: (\S+)/);
    const second = house.start();
    expect((await second.exit).code).toBe(1);
    expect(second.output()).toContain(`already runs on this home (process ${start.child.pid}, ${url})`);
    expect((await fetch(url)).status).toBe(200);
    expect(house.state().pid).toBe(start.child.pid);
  });

  test("after kill -9 its children end by themselves, and the next start takes the home and its Redis over", async () => {
    const first = house.start();
    const [, url = ""] = await first.until(/running: (\S+)/);
    const { children } = house.state();
    const redis = new Redis(await (await fetch(url)).text());
    redis.on("error", () => undefined);
    await redis.set("kept", "yes");
    first.child.kill("SIGKILL");
    await eventually("the end of its children", () => !isAlive(children.api) && !isAlive(children.worker));
    expect(isAlive(children.redis)).toBe(true);

    const second = house.start();
    await second.until(/running: (\S+)/);
    expect(isAlive(children.redis)).toBe(false);
    // Same port, same password: who was connected goes on.
    expect(await redis.get("kept")).toBe("yes");
    redis.disconnect();
  });

  test("wrong configuration: one line per problem, before anything is started", async () => {
    const start = house.start({ PORT: "web", HOST: "0.0.0.0", LOG_LEVEL: "loud" });
    expect((await start.exit).code).toBe(1);
    expect(start.output().trim().split("\n")).toEqual([
      "The configuration is wrong:",
      expect.stringMatching(/^PORT = "web"/),
      expect.stringMatching(/^LOG_LEVEL = "loud"/),
      expect.stringMatching(/^HOST = "0.0.0.0"/),
    ]);
    expect(() => statSync(join(house.home, "talaria"))).toThrow();
  });

  test("a configuration that only the api refuses stops the start with its lines", async () => {
    const start = house.start({ FIXTURE_CONFIG_FAULT: "1" });
    expect((await start.exit).code).toBe(1);
    expect(start.output()).toContain('The configuration is wrong:\nPORT = "x": expected a port');
    expect(start.output()).toContain("Stopped.");
  });

  test("a port that is taken is named", async () => {
    const taken = await listenOnFreePort();
    const start = house.start({ PORT: String(taken.port) });
    expect((await start.exit).code).toBe(1);
    expect(start.output()).toContain(`Port ${taken.port} of 127.0.0.1 is taken`);
    await taken.close();
  });

  test("REDIS_URL that nobody answers is named, without its password", async () => {
    const taken = await listenOnFreePort();
    await taken.close();
    const start = house.start({ REDIS_URL: `redis://:hunter2@127.0.0.1:${taken.port}` });
    expect((await start.exit).code).toBe(1);
    expect(start.output()).toMatch(/REDIS_URL: Redis does not answer/);
    expect(start.output()).not.toContain("hunter2");
  });

  test("the port of config.yaml counts, and logs are kept per process", async () => {
    const taken = await listenOnFreePort();
    await taken.close();
    writeFileSync(join(house.home, "config.yaml"), `talaria:\n  port: ${taken.port}\n`);
    const start = house.start({ PORT: "" });
    // The worker's pipe and its ready message come on different ways: what the terminal shows is in the file.
    await start.until(/\[worker\] warning: careful/);
    expect(readFileSync(join(house.home, "talaria", "logs", "worker.log"), "utf8")).toContain(
      '"msg":"careful"',
    );
  });
});

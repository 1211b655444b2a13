import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { Redis } from "ioredis";
import type { Ops, OpsWorker } from "../../common/contracts/ops.ts";
import { createKeys } from "../../common/redis/keys.ts";
import { expectedText } from "../../workers/engines/demo/words.ts";
import { type Deployment, startDeployment } from "../helpers/deployment.ts";
import type { TestProcess } from "../helpers/process.ts";
import { eventually, within } from "../helpers/wait.ts";
import { expectWhole } from "../helpers/whole.ts";

/** A worker is told to stop, by the api or by the command, and does so without losing anything (background-jobs B-40). */
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
let d: Deployment;
beforeAll(async () => {
  d = await startDeployment({ TALARIA_DRAIN_MS: "300" });
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((worker) => worker.kill()));
});
afterAll(() => d.close());

const started: TestProcess[] = [];
const start = async (): Promise<TestProcess> => {
  const worker = await d.startWorker();
  started.push(worker);
  return worker;
};
const workers = async (): Promise<readonly OpsWorker[]> =>
  (await d.request<{ ops: Ops }>("GET", "/api/ops")).body.ops.workers ?? [];
const onlyWorker = (): Promise<OpsWorker> =>
  eventually("one worker", async () => {
    const all = await workers();
    return all.length === 1 && all[0];
  });
const drain = (name: string) =>
  d.request<{ worker: OpsWorker; error: { code: string } }>("POST", `/api/ops/workers/${name}/drain`, {});
const command = (
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly text: string }> =>
  new Promise((resolve) => {
    const child = spawn(join(ROOT, "node_modules/.bin/node"), ["scripts/drain.ts", ...args], {
      cwd: ROOT,
      env: { PATH: process.env.PATH ?? "", TALARIA_HOME: d.home, REDIS_URL: d.redis.url },
    });
    let text = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
    child.once("close", (code) => resolve({ code, text }));
  });

describe("over the api", () => {
  test("B-40: its run goes on elsewhere, whole and once; the worker ends with 0; asking twice is one order", async () => {
    const old = await start();
    const { name } = await onlyWorker();
    const run = await d.startRun((await d.createSession()).id, "[[fake tokens=200 rate=20]]");
    const follower = d.follow(run.id);
    await follower.until(() => follower.text().length > 60);
    for (const _ of [1, 2])
      expect(await drain(name)).toMatchObject({ status: 202, body: { worker: { name, draining: true } } });
    expect(await within("the worker ends", old.exited)).toBe(0);
    const next = await start();
    expect((await onlyWorker()).name).not.toBe(name);
    await expectWhole(d, run, follower, expectedText(200));
    // Handed over, not crashed: a run that is given back says where it stopped.
    expect(follower.frames.filter(({ event }) => event === "step_reset")).toHaveLength(1);
    const redis = new Redis(d.redis.url);
    expect(await redis.exists(createKeys("talaria").drain(name))).toBe(0);
    await redis.quit();
    expect(await next.stop()).toBe(0);
  });

  test("one that nobody knows is 404; without Redis it is 503 and nothing was ordered", async () => {
    expect(await drain("worker-nobody")).toMatchObject({
      status: 404,
      body: { error: { code: "not_found" } },
    });
    await d.redis.kill();
    expect(await drain("worker-nobody")).toMatchObject({
      status: 503,
      body: { error: { code: "redis_unavailable" } },
    });
    await d.restartRedis();
  });

  test("an order whose word was lost is obeyed all the same", async () => {
    const worker = await start();
    const { name } = await onlyWorker();
    const redis = new Redis(d.redis.url);
    await redis.set(createKeys("talaria").drain(name), "1", "EX", 60);
    expect(await within("the worker ends", worker.exited)).toBe(0);
    await redis.quit();
  });
});

describe("npm run drain", () => {
  test("tells all of them, waits, and says how each one ended", async () => {
    const processes = [await start(), await start()];
    const names = await eventually("two workers", async () => {
      const all = await workers();
      return all.length === 2 && all.map(({ name }) => name);
    });
    const one = await command(names[0] ?? "");
    expect(one).toEqual({ code: 0, text: expect.stringContaining(`${names[0]}: has ended`) });
    const rest = await command("--all");
    expect(rest).toEqual({ code: 0, text: expect.stringContaining(`${names[1]}: has ended`) });
    expect(rest.text).not.toContain(names[0]);
    expect(await Promise.all(processes.map(({ exited }) => exited))).toEqual([0, 0]);
    expect(await command("--all")).toMatchObject({ code: 0, text: "No worker is running.\n" });
  });

  test("names what it cannot do", async () => {
    expect(await command()).toMatchObject({ code: 2, text: expect.stringContaining("usage") });
    expect(await command("worker-x")).toMatchObject({
      code: 1,
      text: expect.stringContaining("There is no live worker called worker-x"),
    });
  });
});

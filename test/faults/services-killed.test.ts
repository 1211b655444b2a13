import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Redis } from "ioredis";
import { expectedText } from "../../workers/engines/demo/words.ts";
import { type Deployment, startDeployment } from "../helpers/deployment.ts";
import type { TestProcess } from "../helpers/process.ts";
import { within } from "../helpers/wait.ts";
import { expectWhole } from "../helpers/whole.ts";

describe("kill -9 of what is around the worker", () => {
  let d: Deployment;
  let worker: TestProcess;
  beforeAll(async () => {
    d = await startDeployment({ TALARIA_DRAIN_MS: "1000", TALARIA_CONCURRENCY: "20" });
    worker = await d.startWorker();
  });
  afterAll(() => d.close());

  const midText = async (input = "[[fake tokens=80 rate=40]]") => {
    const session = await d.createSession();
    const run = await d.startRun(session.id, input);
    const follower = d.follow(run.id);
    await follower.until(() => follower.text().length > 60);
    return { session, run, follower };
  };

  test("api mid-stream: followers come back with their cursor and miss nothing", async () => {
    const { run, follower } = await midText();
    await d.api.kill();
    await d.startApi();
    await expectWhole(d, run, follower, expectedText(80));
    expect(follower.reconnects).toBeGreaterThan(0);
  });

  test("SIGTERM of the api: streams end, the client resumes at the next one", async () => {
    const { run, follower } = await midText();
    expect(await d.api.stop()).toBe(0);
    await d.startApi();
    await expectWhole(d, run, follower, expectedText(80));
  });

  test("Redis, restarted on the same directory: a pause, nothing more", async () => {
    const { run, follower } = await midText();
    await d.redis.kill();
    await d.restartRedis();
    await expectWhole(d, run, follower, expectedText(80));
    expect(follower.frames.some((frame) => frame.event === "reset")).toBe(false);
  });

  test("Redis emptied mid-run: ids are not reused, the client starts the view again, the text is whole", async () => {
    const { run, follower } = await midText();
    const admin = new Redis(d.redis.url);
    await admin.flushall();
    await admin.quit();
    await expectWhole(d, run, follower, expectedText(80));
  });

  test("accepted while Redis is away: 202, executed once when it returns", async () => {
    const session = await d.createSession();
    await d.redis.kill();
    const answer = await d.request<{ run: { id: string; session_id: string } }>(
      "POST",
      `/api/sessions/${session.id}/runs`,
      {
        input: "[[fake tokens=20]]",
      },
    );
    expect(answer.status).toBe(202);
    const { run } = answer.body;
    const follower = d.follow(run.id);
    await d.restartRedis();
    await expectWhole(d, run, follower, expectedText(20));
  });

  test("an api that starts while Redis is away accepts as well", async () => {
    const session = await d.createSession();
    await d.redis.kill();
    await d.api.kill();
    await d.startApi();
    const run = await d.startRun(session.id, "[[fake tokens=20]]");
    await d.restartRedis();
    await expectWhole(d, run, d.follow(run.id), expectedText(20));
  });

  test("Redis silent for longer than a lock: the run goes on and is not taken for crashed", async () => {
    const { run, follower } = await midText("[[fake tokens=300 rate=20]]");
    process.kill(d.redis.pid, "SIGSTOP");
    // The fault is the time itself: longer than the lock of four seconds.
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    process.kill(d.redis.pid, "SIGCONT");
    await expectWhole(d, run, follower, expectedText(300));
    expect((await d.getRun(run.id)).attempt).toBeLessThanOrEqual(2);
  });

  test("the worker's network says nothing for a while: once it speaks again, work is taken within 20 s", async () => {
    const { run, follower } = await midText("[[fake tokens=200 rate=20]]");
    d.relay.silence();
    // The fault is the time itself: longer than every timeout of a connection.
    await new Promise((resolve) => setTimeout(resolve, 15_000));
    const meanwhile = await d.startRun((await d.createSession()).id, "[[fake tokens=5]]");
    d.relay.release();
    await within("work is taken", d.follow(meanwhile.id).ended);
    expect((await d.getRun(meanwhile.id)).status).toBe("completed");
    await expectWhole(d, run, follower, expectedText(200));
  });

  test("everything at once: api, worker and Redis killed and started again", async () => {
    const { run, follower } = await midText();
    await Promise.all([d.api.kill(), worker.kill(), d.redis.kill()]);
    await d.restartRedis();
    await d.startApi();
    worker = await d.startWorker();
    await expectWhole(d, run, follower, expectedText(80));
  });

  test("SIGTERM of the worker: the run is handed over and does not count as crashed", async () => {
    const { run, follower } = await midText("[[fake tokens=200 rate=20]]");
    const leaving = worker;
    worker = await d.startWorker();
    expect(await leaving.stop()).toBe(0);
    await expectWhole(d, run, follower, expectedText(200));
    expect(follower.frames.filter((frame) => frame.event === "step_reset")).toHaveLength(1);
  });

  test("the worker's connection to Redis is reset mid-text: a pause, nothing lost or repeated", async () => {
    const { run, follower } = await midText();
    d.relay.cut();
    d.relay.heal();
    await expectWhole(d, run, follower, expectedText(80));
  });
});

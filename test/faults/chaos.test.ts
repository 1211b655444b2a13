import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { expectedText } from "../../workers/engines/demo/words.ts";
import { type Deployment, startDeployment } from "../helpers/deployment.ts";
import type { TestProcess } from "../helpers/process.ts";
import { seeded, testSeed } from "../helpers/wait.ts";
import { commandPrompt, expectWhole } from "../helpers/whole.ts";

/** Twenty runs with a tool each, while worker, api and Redis are killed in turn: every promise at once. */
describe("chaos", () => {
  let d: Deployment;
  let worker: TestProcess;
  beforeAll(async () => {
    // A run may meet more kills here than three attempts; that limit has its own test.
    d = await startDeployment({ TALARIA_MAX_ATTEMPTS: "100" });
    worker = await d.startWorker();
  });
  afterAll(() => d.close());

  test("kill anything, at any moment: nothing accepted is lost, nothing is done twice, the screen tells the truth", async () => {
    const seed = testSeed();
    const random = seeded(seed);
    const runs = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const session = await d.createSession();
        const input = commandPrompt(`echo ${i} >> chaos-count`, `tokens=${100 + i} rate=15 pre=10 reason=5`);
        const run = await d.startRun(session.id, input);
        return { run, follower: d.follow(run.id), text: expectedText(10) + expectedText(100 + i) };
      }),
    );
    const faults = [
      async () => {
        await worker.kill();
        worker = await d.startWorker();
      },
      async () => {
        await d.api.kill();
        await d.startApi();
      },
      async () => {
        await d.redis.kill();
        await d.restartRedis();
      },
      async () => {
        d.relay.cut();
        d.relay.heal();
      },
    ];
    for (let i = 0; i < 6; i++) {
      const target = runs[Math.floor(random() * runs.length)];
      const more = (target?.follower.frames.length ?? 0) + 5 + Math.floor(random() * 20);
      if (target)
        await Promise.race([
          target.follower.until(() => target.follower.frames.length >= more),
          target.follower.ended,
        ]);
      await faults[Math.floor(random() * faults.length)]?.();
    }
    try {
      for (const { run, follower, text } of runs) await expectWhole(d, run, follower, text);
    } catch (error) {
      throw new Error(`with TALARIA_TEST_SEED=${seed}`, { cause: error });
    }
    const { readFileSync } = await import("node:fs");
    const lines = readFileSync(`${d.home}/workspace/chaos-count`, "utf8").split("\n").filter(Boolean);
    expect(new Set(lines).size).toBe(lines.length);
  }, 180_000);
});

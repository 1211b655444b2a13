import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import type { Ops, OpsWorker } from "../../common/contracts/ops.ts";
import { expectedText } from "../../workers/engines/demo/words.ts";
import { type Deployment, startDeployment } from "../helpers/deployment.ts";
import type { TestProcess } from "../helpers/process.ts";
import { eventually, within } from "../helpers/wait.ts";
import { expectWhole } from "../helpers/whole.ts";

/** A worker that takes no jobs notices it by itself, says so and heals, or ends so that it is replaced (issue "Workers as pools"). */
let d: Deployment;
let worker: TestProcess;
beforeAll(async () => {
  d = await startDeployment({ TALARIA_DRAIN_MS: "1000" });
});
afterEach(async () => {
  d.relay.release();
  await worker.kill();
});
afterAll(() => d.close());

/** Only the connection that jobs are fetched on asks for this key. */
const FETCH = "talaria:queue:runs:limiter";
const STALLED = "this worker is stalled: its connections are restarted";

const start = async (input: string) => {
  const run = await d.startRun((await d.createSession()).id, input);
  return { run, follower: d.follow(run.id) };
};
const midText = async (tokens: number) => {
  const started = await start(`[[fake tokens=${tokens} rate=20]]`);
  await started.follower.until(() => started.follower.text().length > 60);
  return started;
};
const workerIs = (fits: (worker: OpsWorker) => boolean): Promise<OpsWorker> =>
  eventually("the worker says so", async () =>
    (await d.request<{ ops: Ops }>("GET", "/api/ops")).body.ops.workers?.find(fits),
  );
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe("the connection that jobs are fetched on is open for one side only", () => {
  test("it says so, restarts its connections and takes jobs again; what runs goes on", async () => {
    // Before the client's own timeout of six seconds.
    worker = await d.startWorker({ TALARIA_STALL_MS: "2000" });
    const going = await midText(200);
    d.relay.mute(FETCH, "once");
    await within("it notices", worker.says(STALLED));
    const { run, follower } = await start("[[fake tokens=5]]");
    await within("work is taken", follower.ended);
    expect((await d.getRun(run.id)).status).toBe("completed");
    await within("it says that all is well", worker.says("jobs are taken again"));
    const said = await workerIs(({ restarts, stalled_since }) => restarts > 0 && stalled_since === null);
    expect(said.last_progress_at).toBeGreaterThan(said.started_at);
    const metrics = await (await fetch(`${d.url()}/metrics`)).text();
    expect(metrics).toMatch(/talaria_worker_restarts\{worker="[^"]+"\} [1-9]/);
    await expectWhole(d, going.run, going.follower, expectedText(200));
  });

  test("when restarting does not help it ends, not with 0, and another worker goes on", async () => {
    worker = await d.startWorker({ TALARIA_STALL_MS: "1000" });
    const going = await midText(300);
    d.relay.mute(FETCH);
    expect(await within("it ends", worker.exited)).toBe(70);
    expect(worker.output()).toContain("restarting connections did not help");
    d.relay.release();
    worker = await d.startWorker();
    await expectWhole(d, going.run, going.follower, expectedText(300));
  });

  test("a stall is seen from outside while it lasts", async () => {
    worker = await d.startWorker({ TALARIA_STALL_MS: "3000" });
    d.relay.mute(FETCH);
    const { stalled_since } = await workerIs((one) => one.stalled_since !== null);
    expect(stalled_since).toBeGreaterThan(Date.now() / 1000 - 60);
  });
});

test("no network at all for 60 s: the worker stays, and takes work within 20 s of its end", async () => {
  worker = await d.startWorker();
  const going = await midText(100);
  d.relay.silence();
  const { run, follower } = await start("[[fake tokens=5]]");
  // The fault is the time itself.
  await pause(60_000);
  d.relay.release();
  await within("work is taken", follower.ended);
  expect((await d.getRun(run.id)).status).toBe("completed");
  await expectWhole(d, going.run, going.follower, expectedText(100));
  expect(worker.output()).toContain("no jobs are taken: Redis does not answer");
  expect(worker.output()).not.toContain("this worker ends");
  expect(await worker.stop()).toBe(0);
}, 150_000);

test("a process that was stopped and goes on is not taken for stalled", async () => {
  worker = await d.startWorker({ TALARIA_STALL_MS: "1000" });
  const going = await midText(200);
  worker.signal("SIGSTOP");
  // The fault is the time itself: longer than its event loop may stand still.
  await pause(8_000);
  worker.signal("SIGCONT");
  await expectWhole(d, going.run, going.follower, expectedText(200));
  expect(worker.output()).not.toContain("stalled");
  expect(await worker.stop()).toBe(0);
});

test("an event loop that stands still: the process is ended, says why, and another worker goes on", async () => {
  const fixture = pathToFileURL(`${import.meta.dirname}/../helpers/stuck-loop.mjs`).href;
  worker = await d.startWorker({ TALARIA_STALL_MS: "1000", NODE_OPTIONS: `--import=${fixture}` });
  const going = await midText(200);
  worker.signal("SIGUSR2");
  expect(await within("it is ended", worker.exited)).toBeNull();
  expect(worker.output()).toContain("the event loop stood still for");
  worker = await d.startWorker();
  await expectWhole(d, going.run, going.follower, expectedText(200));
});

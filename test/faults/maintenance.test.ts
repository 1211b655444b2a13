import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import type { Backlog } from "../../common/contracts/backlog.ts";
import {
  MAINTENANCE_TASKS,
  type MaintenanceTask,
  type OpsMaintenance,
} from "../../common/contracts/maintenance.ts";
import type { Ops } from "../../common/contracts/ops.ts";
import type { Session } from "../../common/contracts/session.ts";
import { expectedText } from "../../workers/engines/demo/words.ts";
import {
  customModel,
  type Deployment,
  NO_TITLES,
  startDeployment,
  writeProfile,
} from "../helpers/deployment.ts";
import { readDb } from "../helpers/outside.ts";
import type { TestProcess } from "../helpers/process.ts";
import { sidecar } from "../helpers/truth.ts";
import { eventually, within } from "../helpers/wait.ts";
import { expectWhole } from "../helpers/whole.ts";

/** Maintenance in whole deployments: schedules in a real Redis, workers that are killed in it (background-jobs 4, B-5). */
let d: Deployment;
let queue: Queue;
let ticks = 0;
beforeAll(async () => {
  // What ended a moment ago may leave Redis at once.
  d = await startDeployment({ TALARIA_QUEUES: "runs,maintenance", TALARIA_RETENTION_MS: "0" });
  // Titles have a test of their own.
  await writeFile(join(d.home, "config.yaml"), customModel(d.model.url) + NO_TITLES);
  queue = new Queue("maintenance", {
    connection: { url: d.redis.url, maxRetriesPerRequest: null },
    prefix: "talaria:queue",
  });
  queue.on("error", () => {});
});
afterAll(async () => {
  await queue.close();
  await d.close();
});

const maintenance = async (): Promise<readonly OpsMaintenance[]> =>
  (await d.request<{ ops: Ops }>("GET", "/api/ops")).body.ops.maintenance;
const stateOf = (task: MaintenanceTask) =>
  readDb(sidecar(d), (db) =>
    db
      .prepare<[string], { tick: string | null; ok: number; failed: number; generation: number }>(
        "select tick, ok, failed, generation from maintenance where task = ?",
      )
      .get(task),
  );
const okOf = (task: MaintenanceTask): number => stateOf(task)?.ok ?? 0;
const goesWell = (task: MaintenanceTask, more: number, since = okOf(task)): Promise<unknown> =>
  eventually(`${task} goes well`, () => okOf(task) >= since + more, 30_000);
/** A tick beside those of the schedule. */
const tick = async (task: MaintenanceTask): Promise<string> => {
  const jobId = `tick-${task}-${ticks++}`;
  await queue.add(
    "maintenance",
    { task },
    {
      ...{ jobId, removeOnComplete: true, removeOnFail: true, attempts: 5 },
      backoff: { type: "exponential", delay: 1_000 },
    },
  );
  return jobId;
};
/** Does the task again, whatever else is under way; resolves when it went well. */
const done = async (task: MaintenanceTask): Promise<void> => {
  const since = okOf(task);
  await tick(task);
  await goesWell(task, 1, since);
};
const turn = async (input = "hello [[fake tokens=3]]") => {
  const session = await d.createSession();
  const run = await d.startRun(session.id, input);
  const follower = d.follow(run.id);
  await within("the run ends", follower.ended);
  return { session, run, follower };
};
const inRedis = async (work: (redis: Redis) => Promise<unknown>): Promise<unknown> => {
  const redis = new Redis(d.redis.url);
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
};
const archived = (runId: string): boolean =>
  readDb(sidecar(d), (db) => db.prepare("select 1 from journal_archives where run_id = ?").get(runId)) !==
  undefined;

describe("two workers", () => {
  let workers: TestProcess[];
  beforeAll(async () => {
    workers = [await d.startWorker(), await d.startWorker()];
  });
  afterAll(async () => {
    for (const worker of workers) await worker.stop();
  });

  test("one tick is done once, and the schedules are made once", async () => {
    // Redis makes the first tick at once.
    await Promise.all(MAINTENANCE_TASKS.map((task) => goesWell(task, 1, 0)));
    expect(await queue.getJobSchedulersCount()).toBe(MAINTENANCE_TASKS.length);
    // Those whose second tick is an hour away.
    for (const task of ["leftovers", "databases", "expire"] as const)
      expect(stateOf(task)).toMatchObject({ ok: 1, failed: 0, tick: null });
    await goesWell("archive", 1);
    for (const task of ["leftovers", "databases", "expire"] as const) expect(okOf(task)).toBe(1);
  });

  test("an archive that is missing is made; the trimmed journal replays from it; a run beside it is whole", async () => {
    const { session, run, follower } = await turn("[[fake tokens=30]]");
    const beside = await d.startRun((await d.createSession()).id, "[[fake tokens=120 rate=40]]");
    const other = d.follow(beside.id);
    await other.until(() => other.text().length > 60);
    await eventually("it is archived", () => archived(run.id), 30_000);
    const log = `talaria:{${session.id}}:log`;
    await done("trim");
    expect(await inRedis((redis) => redis.xlen(log))).toBe(0);
    expect(await inRedis((redis) => redis.exists(`talaria:{${session.id}}:run:${run.id}`))).toBe(0);
    const again = d.follow(run.id);
    await within("the replay ends", again.ended);
    expect(again.frames.map(({ id }) => id)).toEqual(follower.frames.map(({ id }) => id));
    await expectWhole(d, run, again, expectedText(30));
    await expectWhole(d, beside, other, expectedText(120));
  });

  test("B-5 maintenance-is-not-activity: no task changes a time, a place in the list or an unread mark", async () => {
    const first = await turn();
    await turn();
    await d.request("PATCH", `/api/sessions/${first.session.id}`, { title: "kept" });
    const list = async () => (await d.request<{ data: Session[] }>("GET", "/api/sessions")).body.data;
    await eventually("all is told", () =>
      readDb(sidecar(d), (db) => db.prepare("select 1 from outbox").get() === undefined),
    );
    const before = await list();
    expect(before.length).toBeGreaterThan(1);
    for (const task of MAINTENANCE_TASKS) {
      await done(task);
      expect([task, await list()]).toEqual([task, before]);
    }
  });

  test("a task that fails is told, tried again, and is well when the cause is gone", async () => {
    const before = stateOf("leftovers")?.failed ?? 0;
    // A file in place of the folder of profiles.
    await rm(join(d.home, "profiles"), { recursive: true, force: true });
    await writeFile(join(d.home, "profiles"), "");
    const since = okOf("leftovers");
    await tick("leftovers");
    await eventually("it failed twice", () => (stateOf("leftovers")?.failed ?? 0) >= before + 2, 30_000);
    expect((await maintenance()).find(({ task }) => task === "leftovers")).toMatchObject({
      ...{ last_error: "profile_unavailable", alarm: false, last_error_at: expect.any(Number) },
    });
    const metrics = await (await fetch(`${d.url()}/metrics`)).text();
    expect(metrics).toMatch(/talaria_maintenance_runs_total\{task="leftovers",outcome="failed"\} [2-9]/);
    expect(metrics).toMatch(/talaria_maintenance_ok_age_seconds\{task="leftovers"\} \d/);
    expect(metrics).toMatch(/talaria_maintenance_alarm\{task="leftovers"\} 0/);
    await rm(join(d.home, "profiles"));
    await goesWell("leftovers", 1, since);
    expect((await maintenance()).find(({ task }) => task === "leftovers")).toMatchObject({
      last_error: null,
    });
  });

  test("Redis emptied: the schedules are there again within a round, and maintenance goes on", async () => {
    await inRedis((redis) => redis.flushall());
    expect(await queue.getJobSchedulersCount()).toBe(0);
    const since = okOf("databases");
    // What must happen within seconds needs none of them.
    const { run, follower } = await turn("[[fake tokens=20]]");
    await expectWhole(d, run, follower, expectedText(20));
    await eventually(
      "they are back",
      async () => (await queue.getJobSchedulersCount()) === MAINTENANCE_TASKS.length,
      20_000,
    );
    await goesWell("databases", 1, since);
  });
});

describe("a worker that is killed", () => {
  let worker: TestProcess;
  beforeEach(() => {
    d.relay.release();
  });

  test("in a tick: the next one does it, and what was left of a deleted session is gone", async () => {
    const { session } = await (async () => {
      const serving = await d.startWorker({ TALARIA_QUEUES: "runs" });
      const made = await turn();
      await serving.stop();
      return made;
    })();
    await d.redis.kill();
    // Its journal cannot be removed with it.
    expect((await d.request("DELETE", `/api/sessions/${session.id}`)).status).toBeLessThan(300);
    await d.restartRedis();
    const log = `talaria:{${session.id}}:log`;
    expect(await inRedis((redis) => redis.exists(log))).toBe(1);

    worker = await d.startWorker();
    await eventually("nothing is under way", () => stateOf("leftovers")?.tick === null);
    // Between the question which journals there are and its answer.
    const held = d.relay.holdBefore(`{${session.id}}:head`);
    const { ok = 0, generation = 0 } = stateOf("leftovers") ?? {};
    const id = await tick("leftovers");
    await within("it is at it", held);
    expect(stateOf("leftovers")).toMatchObject({ tick: id, ok, generation: generation + 1 });
    await worker.kill();
    d.relay.release();
    expect(await inRedis((redis) => redis.exists(log))).toBe(1);
    const next = await d.startWorker();
    await goesWell("leftovers", 1, ok);
    expect(await inRedis((redis) => redis.exists(log))).toBe(0);
    expect(stateOf("leftovers")).toMatchObject({ tick: null, ok: ok + 1, generation: generation + 2 });
    await next.stop();
  });

  test("whose queue nobody else serves: its run waits again, the backlog says so, and the next worker goes on", async () => {
    await writeProfile(d, "green");
    // Maintenance is the deployment's: who has it among its queues serves it, whatever its profiles.
    const keeper = await d.startWorker({ TALARIA_PROFILES: "blue" });
    worker = await d.startWorker({ TALARIA_QUEUES: "runs", TALARIA_PROFILES: "green" });
    const { session } = (await d.request<{ session: Session }>("POST", "/api/sessions", { profile: "green" }))
      .body;
    const run = await d.startRun(session.id, "[[fake tokens=120 rate=30]]");
    const follower = d.follow(run.id);
    await follower.until(() => follower.text().length > 60);
    await worker.kill();
    expect((await d.getRun(run.id)).status).toBe("running");
    await eventually(
      "it waits",
      async () => {
        await done("interrupted");
        return (await d.getRun(run.id)).status === "queued";
      },
      40_000,
    );
    const backlog = (await d.request<{ data: Backlog[] }>("GET", "/api/backlog")).body.data;
    expect(backlog).toEqual([
      expect.objectContaining({ queue: "runs@green", jobs: 1, reason: "no_worker", alarm: true }),
    ]);
    const next = await d.startWorker({ TALARIA_QUEUES: "runs", TALARIA_PROFILES: "green" });
    await expectWhole(d, run, follower, expectedText(120));
    expect((await d.getRun(run.id)).attempt).toBe(2);
    await next.stop();
    await keeper.stop();
  }, 120_000);
});

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Backlog } from "../../common/contracts/backlog.ts";
import type { Run } from "../../common/contracts/run.ts";
import { type Deployment, startDeployment, writeProfile } from "../helpers/deployment.ts";
import { eventually, within } from "../helpers/wait.ts";

/** Workers for some profiles only, and limits that hold over all of them (profiles "Pools"). */
let d: Deployment;
beforeAll(async () => {
  d = await startDeployment();
});
afterAll(() => d.close());

const profile = (name: string, more = ""): Promise<void> => writeProfile(d, name, more);
const begin = async (name: string, input = "hello [[fake tokens=3]]"): Promise<Run> =>
  d.startRun((await d.createSession(name)).id, input);
const ended = async (runs: readonly Run[], ms = 60_000): Promise<readonly string[]> => {
  const all = runs.map(({ id }) => d.follow(id));
  await within("the runs end", Promise.all(all.map((one) => one.ended)), ms);
  return Promise.all(runs.map(async ({ id }) => (await d.getRun(id)).status));
};
const backlog = async (): Promise<readonly Backlog[]> =>
  (await d.request<{ data: Backlog[] }>("GET", "/api/backlog")).body.data;
const ready = () => d.request<{ reasons: Record<string, string> }>("GET", "/readyz");

describe("a worker for some profiles only", () => {
  test("does theirs and leaves the others; what nobody serves is an alarm until a worker comes for it", async () => {
    for (const name of ["blue", "green"]) await profile(name);
    const blue = await d.startWorker({ TALARIA_PROFILES: "blue" });
    const left = await begin("green");
    expect(await ended([await begin("blue"), await begin("blue")])).toEqual(["completed", "completed"]);
    expect((await d.getRun(left.id)).status).toBe("queued");
    expect(await backlog()).toMatchObject([
      { queue: "runs@green", profile: "green", jobs: 1, reason: "no_worker", alarm: false },
    ]);
    await eventually("the alarm", async () => (await ready()).status === 503);
    expect((await ready()).body.reasons.workers).toMatch(/No running worker serves "runs@green"/);
    const metrics = await (await fetch(`${d.url()}/metrics`)).text();
    expect(metrics).toMatch(/talaria_profile_env_scopes\{worker="worker-[^"]+"\} 2\n/);
    const longest = /talaria_profile_env_hold_seconds\{worker="[^"]+",quantile="1"\} (\S+)/.exec(
      metrics,
    )?.[1];
    expect(Number(longest)).toBeGreaterThan(0);
    expect(Number(longest)).toBeLessThan(1);
    expect(metrics).toMatch(/talaria_backlog_alarm\{queue="runs@green",reason="no_worker"\} 1/);

    const all = await d.startWorker();
    expect(await ended([left])).toEqual(["completed"]);
    await eventually("the alarm is over", async () => (await ready()).status === 200);
    expect(await backlog()).toEqual([]);
    for (const worker of [blue, all]) await worker.stop();
  });

  test("that was killed is missed, too", async () => {
    const worker = await d.startWorker();
    expect(await ended([await begin("default")])).toEqual(["completed"]);
    await worker.kill();
    const run = await begin("default");
    await eventually("the alarm", async () => (await backlog()).some(({ alarm }) => alarm));
    const next = await d.startWorker();
    expect(await ended([run])).toEqual(["completed"]);
    await next.stop();
  });
});

describe("many profiles in one worker", () => {
  test("one profile's backlog does not hold up another's", async () => {
    await profile("many");
    await profile("few");
    const worker = await d.startWorker({ TALARIA_CONCURRENCY: "2" });
    const many: Run[] = [];
    for (let n = 0; n < 12; n++) many.push(await begin("many", "slow [[fake tokens=20 rate=40]]"));
    const few = await begin("few");
    expect(await ended([few])).toEqual(["completed"]);
    const open = await Promise.all(many.map(async ({ id }) => (await d.getRun(id)).ended_at === null));
    expect(open.filter(Boolean).length).toBeGreaterThan(4);
    expect(new Set(await ended(many))).toEqual(new Set(["completed"]));
    await worker.stop();
  });

  test("the first message of a profile that was made a moment ago does not wait for a look round", async () => {
    const worker = await d.startWorker();
    await d.request("POST", "/api/profiles", { name: "fresh" });
    await profile("fresh");
    expect(await ended([await begin("fresh")], 1_500)).toEqual(["completed"]);
    await worker.stop();
  });
});

describe("limits of a profile", () => {
  test("concurrent_runs holds across workers; the oldest go first, and all are done", async () => {
    await profile("narrow", "limits: {concurrent_runs: 3}\n");
    const workers = [await d.startWorker(), await d.startWorker()];
    const runs: Run[] = [];
    for (let n = 0; n < 12; n++) runs.push(await begin("narrow", "busy [[fake tokens=20 rate=40]]"));
    const other = await begin("default");
    const seen: number[] = [];
    const waiting = new Set<string>();
    let over = false;
    const all = ended(runs, 40_000).finally(() => {
      over = true;
    });
    while (!over) {
      const { data } = (await d.request<{ data: Run[] }>("GET", "/api/runs?profile=narrow&status=running"))
        .body;
      seen.push(data.length);
      for (const { profile, reason } of await backlog()) if (profile === "narrow") waiting.add(reason);
    }
    expect(new Set(await all)).toEqual(new Set(["completed"]));
    expect(Math.max(...seen)).toBe(3);
    expect(waiting).toContain("limit");
    expect(await ended([other])).toEqual(["completed"]);
    const starts = (await Promise.all(runs.map(({ id }) => d.getRun(id)))).map((run) => run.started_at ?? 0);
    for (let n = 3; n < starts.length; n++) expect(starts[n]).toBeGreaterThan(starts[n - 3] ?? 0);
    for (const worker of workers) await worker.stop();
  });

  test("runs_per_minute: what is too much waits; a raised limit lets it go on", async () => {
    await profile("slow", "limits: {runs_per_minute: 2}\n");
    const worker = await d.startWorker();
    const runs = [await begin("slow"), await begin("slow"), await begin("slow"), await begin("slow")];
    expect(await ended(runs.slice(0, 2))).toEqual(["completed", "completed"]);
    expect(await backlog()).toMatchObject([{ profile: "slow", jobs: 2, reason: "limit" }]);
    expect((await ready()).status).toBe(200);
    await d.request("PATCH", "/api/profiles/slow", { limits: { runs_per_minute: 3 } });
    expect(await ended(runs.slice(2, 3))).toEqual(["completed"]);
    expect((await d.getRun(runs[3]?.id ?? "")).status).toBe("queued");
    // A stop works without a worker, and takes nothing of the limit.
    expect((await d.request("POST", `/api/runs/${runs[3]?.id}/cancel`, {})).status).toBe(202);
    await eventually(
      "it is cancelled",
      async () => (await d.getRun(runs[3]?.id ?? "")).status === "cancelled",
    );
    await d.request("PATCH", "/api/profiles/slow", { limits: { runs_per_minute: null } });
    const text = await (await fetch(`${d.url()}/api/profiles/slow`)).json();
    expect(text).toMatchObject({ profile: { limits: { concurrent_runs: null, runs_per_minute: null } } });
    expect(await ended([await begin("slow"), await begin("slow")])).toEqual(["completed", "completed"]);
    await worker.stop();
  });
});

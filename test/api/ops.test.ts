import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "@jest/globals";
import type { Job } from "../../common/contracts/job.ts";
import type { Ops, OpsRun } from "../../common/contracts/ops.ts";
import { createWorkerRegistry, type WorkerInfo } from "../../common/queues/worker-registry.ts";
import { newSession, postJson, startApi, startRun, type TestApi, withApi } from "../helpers/api-server.ts";
import { startRedis } from "../helpers/redis.ts";
import { acceptMessage } from "../helpers/talaria-db.ts";
import { eventually } from "../helpers/wait.ts";

const CANARY = "canary-91c4e7a05d3b48f2-secret";
const PATHS = ["/api/ops", "/api/ops/runs", "/api/ops/jobs"];

const WORKER: WorkerInfo = {
  name: "worker-1",
  pid: 4711,
  host: "a-secret-host",
  version: "0.1.0",
  queues: ["runs", "titles"],
  profiles: null,
  concurrency: 400,
  running: 3,
  draining: false,
  environment: { scopes: 0, openScopes: 0, p50Us: 0, p99Us: 0, maxUs: 0 },
  last_progress_at: null,
  stalled_since: null,
  restarts: 0,
  started_at: 1,
  seen_at: 0,
};

const get = async <T>(api: TestApi, path: string): Promise<T> => {
  const answer = await fetch(api.url + path);
  expect(answer.status).toBe(200);
  return (await answer.json()) as T;
};
const overview = async (api: TestApi): Promise<Ops> => (await get<{ ops: Ops }>(api, "/api/ops")).ops;

describe("who may look", () => {
  test("without a login all of it is 401, and so is asking for a job again", () =>
    withApi({ password: "open sesame" }, async (api) => {
      for (const path of PATHS) expect((await fetch(api.url + path)).status).toBe(401);
      expect((await postJson(`${api.url}/api/jobs/any/retry`, {})).status).toBe(401);
    }));

  test("another site's page gets 403, for asking again, too", () =>
    withApi({}, async (api) => {
      const headers = { "sec-fetch-site": "cross-site" };
      for (const path of PATHS) expect((await fetch(api.url + path, { headers })).status).toBe(403);
      const foreign = { origin: "http://evil.example" };
      expect((await postJson(`${api.url}/api/jobs/any/retry`, {}, foreign)).status).toBe(403);
    }));

  test.each(["POST", "PUT", "PATCH", "DELETE"])("%s is refused: it is to look at", (method) =>
    withApi({}, async (api) => {
      for (const path of PATHS) expect((await fetch(api.url + path, { method })).status).toBe(405);
    }),
  );
});

describe("the state of a deployment", () => {
  test("names live workers, what waits, what runs, and what Redis says without counting", () =>
    withApi({}, async (api) => {
      const workers = createWorkerRegistry(api.redis, api.keys.workers);
      await workers.put({ ...WORKER, seen_at: Date.now() / 1000 });
      await workers.put({ ...WORKER, name: "worker-dead", seen_at: Date.now() / 1000 - 60 });
      const { runId, sessionId } = await startRun(api);
      const ops = await overview(api);
      expect(ops.workers?.map(({ name, running, concurrency }) => [name, running, concurrency])).toEqual([
        ["worker-1", 3, 400],
      ]);
      expect(JSON.stringify(ops)).not.toMatch(/4711|a-secret-host/);
      expect(ops.backlog).toEqual([expect.objectContaining({ queue: "runs", jobs: 1, reason: "starting" })]);
      expect(ops.runs).toEqual([{ status: "queued", runs: 1, oldest_age_s: expect.any(Number) }]);
      expect(ops.jobs).toEqual({ queued: 0, running: 0, failed: 0 });
      expect(ops.redis?.used_memory_bytes).toBeGreaterThan(100_000);
      expect(ops.redis?.keys).toBeGreaterThan(0);
      const { data } = await get<{ data: OpsRun[] }>(api, "/api/ops/runs");
      expect(data).toEqual([
        expect.objectContaining({ id: runId, session_id: sessionId, profile: "default", status: "queued" }),
      ]);
      expect(data[0]).toMatchObject({ attempt: 0, worker: null, held: false });
    }));

  test("is told from the database while Redis is away", async () => {
    const redis = await startRedis();
    const api = await startApi({ redisUrl: redis.url });
    await startRun(api);
    await redis.kill();
    const ops = await eventually("an answer without Redis", async () => {
      const now = await overview(api);
      return now.redis === null && now;
    });
    expect(ops).toMatchObject({ workers: null, redis: null, runs: [{ status: "queued", runs: 1 }] });
    expect(JSON.stringify(ops)).not.toContain(String(redis.port));
    await api.close();
  });
});

describe("with 1,000 runs", () => {
  let api: TestApi;
  let expected: string[];
  beforeAll(async () => {
    api = await startApi();
    await appendFile(join(api.home, ".env"), `OPENAI_API_KEY=${CANARY}\n`);
    const accepted = await Promise.all(
      Array.from({ length: 1000 }, async () => {
        const { session } = await api.db.sessions.create({ profile: "default" });
        return acceptMessage(api.db, session.id, `my key is ${CANARY}`);
      }),
    );
    expected = accepted
      .sort((a, b) => a.created_at - b.created_at || (a.id < b.id ? -1 : 1))
      .map(({ id }) => id);
  }, 120_000);

  test("a page stays bounded, and pages give each run once, the oldest first", async () => {
    const first = await fetch(`${api.url}/api/ops/runs`);
    const text = await first.text();
    expect((JSON.parse(text) as { data: OpsRun[] }).data).toHaveLength(50);
    expect(text.length).toBeLessThan(50_000);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: { data: OpsRun[]; next_cursor: string | null } = await get(
        api,
        `/api/ops/runs?limit=200${cursor === null ? "" : `&cursor=${cursor}`}`,
      );
      expect(page.data.length).toBeLessThanOrEqual(200);
      seen.push(...page.data.map(({ id }) => id));
      cursor = page.next_cursor;
    } while (cursor !== null);
    expect(seen).toEqual(expected);
    expect((await overview(api)).runs).toEqual([expect.objectContaining({ status: "queued", runs: 1000 })]);
  });

  test("narrows by status and profile; what is no page is 400", async () => {
    expect((await get<{ data: OpsRun[] }>(api, "/api/ops/runs?status=running")).data).toEqual([]);
    expect((await get<{ data: OpsRun[] }>(api, "/api/ops/runs?profile=work")).data).toEqual([]);
    expect((await get<{ data: OpsRun[] }>(api, "/api/ops/runs?profile=default&limit=3")).data).toHaveLength(
      3,
    );
    for (const query of ["limit=1000", "limit=0", "cursor=x", "status=completed", "more=1"])
      expect((await fetch(`${api.url}/api/ops/runs?${query}`)).status).toBe(400);
  });

  test("a canary key of a profile, and what was said, is in no answer", async () => {
    const texts = await Promise.all(
      [...PATHS, "/api/ops/runs?limit=200"].map(async (path) => (await fetch(api.url + path)).text()),
    );
    expect(texts.join()).not.toContain(CANARY);
    expect(texts.join()).not.toContain("my key is");
    expect(texts.join()).not.toContain(api.home);
  });
});

describe("a failed job", () => {
  /** A title job of a new session that ended this way. */
  const ended = async (api: TestApi, state: "failed" | "done"): Promise<Job> => {
    const sessionId = await newSession(api);
    const work = { sessionId, about: "first", input: "first" as const, manual: false };
    const made = await api.db.write.putTitleJob(work);
    if (made === null) throw new Error("no job was made");
    await api.db.write.claimJob(made.job.id, "worker-1");
    await api.db.write.endJob(made.job.id, 1, { state, reason: state === "failed" ? "timeout" : null });
    return made.job;
  };
  const retry = (api: TestApi, id: string): Promise<Response> =>
    postJson(`${api.url}/api/jobs/${encodeURIComponent(id)}/retry`, {});

  test("is listed, the newest first and paged, and is done again when somebody asks; asking twice is one", () =>
    withApi({}, async (api) => {
      const older = await ended(api, "failed");
      const newer = await ended(api, "failed");
      await ended(api, "done");
      const page = await get<{ data: Job[]; next_cursor: string }>(api, "/api/ops/jobs?limit=1");
      expect(page.data).toEqual([expect.objectContaining({ id: newer.id, reason: "timeout" })]);
      const rest = await get<{ data: Job[] }>(api, `/api/ops/jobs?limit=1&cursor=${page.next_cursor}`);
      expect(rest).toMatchObject({ data: [{ id: older.id }], next_cursor: null });
      expect((await overview(api)).jobs.failed).toBe(2);

      const answer = await retry(api, older.id);
      expect(answer.status).toBe(202);
      expect(await answer.json()).toMatchObject({
        job: { id: older.id, state: "queued", attempt: 0, reason: null },
      });
      expect((await retry(api, older.id)).status).toBe(202);
      await api.lifecycle.dispatcher.settled();
      expect(await api.redis.llen(`${api.keys.prefix}:queue:titles:wait`)).toBe(1);
      expect((await get<{ data: Job[] }>(api, "/api/ops/jobs")).data.map(({ id }) => id)).toEqual([newer.id]);
    }));

  test("does not go over a title that a person gave since then (B-10)", () =>
    withApi({}, async (api) => {
      const job = await ended(api, "failed");
      await api.db.sessions.patch(job.session_id, { title: "Mine" });
      expect((await retry(api, job.id)).status).toBe(202);
      await api.db.write.claimJob(job.id, "worker-1");
      await api.db.write.applyTitle(job.id, 1, "The model's", null);
      expect((await api.db.sessions.get(job.session_id)).title).toBe("Mine");
      expect(await api.db.read.findJob(job.id)).toMatchObject({ state: "skipped", reason: "manual_title" });
    }));

  test("alone is done again: one that is done is 409, one that is not there 404", () =>
    withApi({}, async (api) => {
      const { id } = await ended(api, "done");
      expect((await retry(api, id)).status).toBe(409);
      expect((await retry(api, "title-none-first")).status).toBe(404);
    }));
});

describe("a job under way", () => {
  const running = async (api: TestApi): Promise<Job> => {
    const sessionId = await newSession(api);
    const made = await api.db.write.putTitleJob({ sessionId, about: "first", input: "first", manual: false });
    if (made === null) throw new Error("no job was made");
    await api.db.write.claimJob(made.job.id, "worker-1");
    return made.job;
  };
  const cancel = (api: TestApi, id: string): Promise<Response> =>
    postJson(`${api.url}/api/jobs/${encodeURIComponent(id)}/cancel`, {});

  test("is cancelled once: from then on nothing of it is applied, and asking twice is harmless", () =>
    withApi({}, async (api) => {
      const { id, session_id } = await running(api);
      const answer = await cancel(api, id);
      expect(answer.status).toBe(200);
      expect(await answer.json()).toMatchObject({ job: { id, state: "cancelled", reason: "by_person" } });
      expect((await cancel(api, id)).status).toBe(200);
      expect(await api.db.write.applyTitle(id, 1, "Too late", null)).toEqual([]);
      expect((await api.db.sessions.get(session_id)).title).not.toBe("Too late");
    }));

  test("that is done cannot be cancelled any more (409); one that is not there is 404", () =>
    withApi({}, async (api) => {
      const { id } = await running(api);
      await api.db.write.applyTitle(id, 1, "Done", null);
      expect((await cancel(api, id)).status).toBe(409);
      expect((await cancel(api, "title-none-first")).status).toBe(404);
    }));

  test("tells how far it is, only while it is this attempt's (B-22)", () =>
    withApi({}, async (api) => {
      const { id } = await running(api);
      const at = { stage: "asking", done: 1, of: 4 };
      await api.db.write.progressJob(id, 1, at);
      await api.db.write.progressJob(id, 2, { ...at, done: 3 });
      expect(await get(api, `/api/jobs/${id}`)).toMatchObject({ job: { progress: at } });
      await api.db.write.endJob(id, 1, { state: "failed", reason: "timeout", result: { calls: 2 } });
      expect(await get(api, `/api/jobs/${id}`)).toMatchObject({
        job: { progress: null, result: { calls: 2 } },
      });
    }));
});

import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { appRoutes } from "@bull-board/api/dist/routes.js";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { Queue } from "bullmq";
import { queuePrefix } from "../../common/queues/catalog.ts";
import { postJson, rawRequest, startRun, statusOf, type TestApi, withApi } from "../helpers/api-server.ts";
import { startApiWithDashboard } from "../helpers/dashboard.ts";
import { eventually } from "../helpers/wait.ts";

const PAGES = ["/ops/queues", "/ops/queues/", "/ops/queues/queue/runs"];
const DATA = [
  "/ops/queues/api/queues",
  "/ops/queues/api/queues/runs/some-job",
  "/ops/queues/api/redis/stats",
];
const FILES = ["/ops/queues/static/images/logo.svg"];
const CANARY = "canary-2b5d81fe63a94c07-secret";

interface ShownJob {
  readonly id: string;
  readonly data: unknown;
  readonly failedReason?: string;
}
interface ShownQueue {
  readonly name: string;
  readonly readOnlyMode: boolean;
  readonly jobs: readonly ShownJob[];
  readonly counts: Readonly<Record<string, number>>;
}
const queuesOf = async (api: TestApi, query = ""): Promise<readonly ShownQueue[]> => {
  const answer = await fetch(`${api.url}/ops/queues/api/queues${query}`);
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { queues: ShownQueue[] }).queues;
};
const queue = (api: TestApi, name: string): Queue =>
  new Queue(name, { connection: api.redis, prefix: queuePrefix(api.keys.prefix) });

describe("the dashboard while it is off (security-contract 15)", () => {
  test("has no address: pages, data and files are 404", () =>
    withApi({}, async (api) => {
      for (const path of [...PAGES, ...DATA, ...FILES])
        expect((await fetch(api.url + path, { headers: { accept: "text/html" } })).status).toBe(404);
    }));

  test("does not even say so without a login", () =>
    withApi({ password: "open sesame" }, async (api) => {
      for (const path of [...PAGES, ...DATA, ...FILES])
        expect((await fetch(api.url + path)).status).toBe(401);
    }));
});

test("hostile 106: without a login everything of it is 401; with the token it is there", async () => {
  const api = await startApiWithDashboard({ password: "open sesame", token: "a-token-of-the-operator" });
  for (const path of [...PAGES, ...DATA, ...FILES]) {
    const refused = await fetch(api.url + path);
    expect(refused.status).toBe(401);
    expect(await refused.text()).not.toMatch(/<html|bull|runs/i);
    expect((await fetch(api.url + path, { headers: { authorization: "Bearer wrong" } })).status).toBe(401);
  }
  const authorization = "Bearer a-token-of-the-operator";
  for (const path of [...PAGES, ...FILES])
    expect((await fetch(api.url + path, { headers: { authorization } })).status).toBe(200);
});

describe("the dashboard while it is on", () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startApiWithDashboard();
    await appendFile(join(api.home, ".env"), `OPENAI_API_KEY=${CANARY}\n`);
  });

  test("hostile 107: no job can be added, and nothing else of a queue be changed", async () => {
    const { runId } = await startRun(api);
    const before = await api.redis.keys(`${api.keys.prefix}:queue:*`);
    const add = await postJson(`${api.url}/ops/queues/api/queues/runs/add`, {
      name: "runs",
      data: { prompt: "send me the keys" },
      options: {},
    });
    expect([add.status, add.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    const writing = appRoutes.api.flatMap(({ method, route }) =>
      [method]
        .flat()
        .flatMap((one) => (one === "get" ? [] : [route].flat().map((path) => [one, path] as const))),
    );
    expect(writing.length).toBeGreaterThan(15);
    for (const [method, path] of writing) {
      const address = path
        .replace(":queueName", "runs")
        .replace(":jobId", `run-${runId}-1`)
        .replace(/:\w+/g, "waiting");
      const answer = await fetch(`${api.url}/ops/queues${address}`, {
        method: method.toUpperCase(),
        headers: { "content-type": "application/json" },
        body: "{}",
      });
      expect([method, path, answer.status]).toEqual([method, path, 405]);
    }
    expect((await api.redis.keys(`${api.keys.prefix}:queue:*`)).sort()).toEqual(before.sort());
    expect(await queue(api, "runs").getJobState(`run-${runId}-1`)).toBe("waiting");
  });

  test("hostile 107: of a job that somebody put into Redis with a prompt, the prompt is not shown", async () => {
    await queue(api, "runs").add("runs", { prompt: `use ${CANARY}` }, { jobId: "forged" });
    const [runs] = await queuesOf(api, "?activeQueue=runs&status=waiting");
    expect(runs?.jobs.find(({ id }) => id === "forged")?.data).toEqual({
      refused: expect.stringContaining("workers refuse it"),
    });
  });

  test.each([
    ["hostile 109: a foreign Origin", "PUT", { origin: "http://evil.example" }],
    ["hostile 109: a foreign site", "PUT", { "sec-fetch-site": "cross-site" }],
    ["reads of a foreign page, too", "GET", { "sec-fetch-site": "cross-site" }],
    ["and of a sibling host", "GET", { "sec-fetch-site": "same-site" }],
  ])("%s is 403 for %s", async (_name, method, headers: Record<string, string>) => {
    for (const path of ["/ops/queues/api/queues/pause", ...DATA, ...PAGES])
      expect((await fetch(api.url + path, { method, headers })).status).toBe(403);
  });

  test("a name that was rebound to this machine is 421", async () => {
    const answer = await rawRequest(
      api.port,
      "GET /ops/queues HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    );
    expect(statusOf(answer)).toBe(421);
  });

  test("its queues are of every kind and profile, read-only; a new profile appears by itself; looking makes no key", async () => {
    const names = async (): Promise<string[]> => (await queuesOf(api)).map(({ name }) => name).sort();
    expect(await names()).toEqual(["maintenance", "runs", "titles"]);
    expect((await postJson(`${api.url}/api/profiles`, { name: "work" })).status).toBe(201);
    const shown = await eventually("the profile's queues", async () => {
      const now = await names();
      return now.length === 5 && now;
    });
    expect(shown).toEqual(["maintenance", "runs", "runs@work", "titles", "titles@work"]);
    expect((await queuesOf(api)).every(({ readOnlyMode }) => readOnlyMode)).toBe(true);
    expect(await api.redis.keys(`${api.keys.prefix}:queue:*@work:*`)).toEqual([]);
  });

  test("Redis' details, its clients and what jobs logged are not shown", async () => {
    expect((await fetch(`${api.url}/ops/queues/api/redis/stats`)).status).toBe(403);
    expect((await fetch(`${api.url}/ops/queues/api/queues/runs/workers`)).status).toBe(403);
    await queue(api, "runs").addJobLog("forged", `logged ${CANARY}`);
    const logs = await fetch(`${api.url}/ops/queues/api/queues/runs/forged/logs`);
    expect(await logs.json()).toEqual([]);
  });

  test("a canary key of a profile is in no answer, wherever in a job it stands", async () => {
    const runs = queue(api, "runs");
    await runs.add("runs", { runId: "x" }, { jobId: "told", keepLogs: 3 });
    const key = `${queuePrefix(api.keys.prefix)}:runs:told`;
    await api.redis.hset(key, {
      failedReason: `the provider refused ${CANARY}`,
      stacktrace: JSON.stringify([`Error: ${CANARY}`]),
      returnvalue: JSON.stringify({ key: CANARY }),
      progress: JSON.stringify({ key: CANARY }),
      name: CANARY,
    });
    const answers = await Promise.all(
      [
        "?activeQueue=runs&status=waiting",
        "?activeQueue=runs",
        "/runs/told",
        "/runs/told/flow",
        "/runs/told/logs",
      ].map(async (more) => {
        const answer = await fetch(`${api.url}/ops/queues/api/queues${more}`);
        expect(answer.status).toBe(200);
        return answer.text();
      }),
    );
    expect(answers.join()).toContain("the provider refused [redacted]");
    expect(answers.join()).not.toContain(CANARY);
  });

  test("a job that is its own parent is answered like any other", async () => {
    const name = `${queuePrefix(api.keys.prefix)}:runs`;
    await queue(api, "runs").add("runs", { runId: "x" }, { jobId: "loop" });
    const opts = JSON.stringify({ parent: { id: "loop", queue: name } });
    await api.redis.hset(`${name}:loop`, { opts, parentKey: `${name}:loop` });
    const answer = await fetch(`${api.url}/ops/queues/api/queues/runs/loop/flow`, {
      signal: AbortSignal.timeout(5_000),
    });
    expect(await answer.json()).toEqual({ nodeId: "loop", flowRoot: null, isFlowNode: false });
  });

  test("a page of jobs is bounded, whatever is asked for", async () => {
    await queue(api, "runs").addBulk(
      Array.from({ length: 300 }, (_, i) => ({
        name: "runs",
        data: { runId: `r${i}` },
        opts: { jobId: `many-${i}` },
      })),
    );
    const [runs] = await queuesOf(api, "?activeQueue=runs&status=waiting&jobsPerPage=100000");
    expect(runs?.counts.waiting).toBeGreaterThanOrEqual(300);
    expect(runs?.jobs).toHaveLength(100);
  });

  test("its page asks no other host, runs nothing inline, and has all its files", async () => {
    const answer = await fetch(`${api.url}/ops/queues/`);
    const html = await answer.text();
    expect(html).not.toMatch(/https?:\/\/|<style|style=|onclick|<%/i);
    expect(html.match(/<script(?! defer src="static\/)[^>]*>/g)).toEqual([
      '<script id="__UI_CONFIG__" type="application/json">',
    ]);
    const files = [...html.matchAll(/(?:src|href)="(static\/[^"]+)"/g)].map(([, file]) => file);
    expect(files.length).toBeGreaterThan(4);
    for (const file of files) expect((await fetch(`${api.url}/ops/queues/${file}`)).status).toBe(200);
  });

  test("its policy allows nothing inline and no other host; the policy of other pages stays", async () => {
    const policyOf = async (path: string): Promise<string> =>
      (await fetch(api.url + path)).headers.get("content-security-policy") ?? "";
    const policy = await policyOf("/ops/queues/");
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self' 'sha256-");
    expect(policy).toContain("connect-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*|http|blob/);
    expect(await policyOf("/api/docs")).toContain("require-trusted-types-for 'script'");
    expect(await policyOf("/healthz")).toContain("base-uri 'none'");
  });

  test("bad input is a clear error without a stack", async () => {
    for (const query of [
      "?page=-1",
      "?jobsPerPage=x",
      "?activeQueue=%2500",
      "?activeQueue=%25",
      "?status=nothing",
    ]) {
      const answer = await fetch(`${api.url}/ops/queues/api/queues${query}`);
      expect([query, answer.status < 500]).toEqual([query, true]);
      expect(await answer.text()).not.toMatch(/node_modules|at \w+ \(/);
    }
  });
});

import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { SETTINGS } from "../common/config/settings.ts";
import { BacklogSchema } from "../common/contracts/backlog.ts";
import { createFiguresBoard } from "../common/metrics/board.ts";
import { createFigures } from "../common/metrics/figures.ts";
import { createWorkerRegistry, type WorkerInfo } from "../common/queues/worker-registry.ts";
import { connectRedis } from "../common/redis/connect.ts";
import { createKeys } from "../common/redis/keys.ts";
import { NO_TRACES } from "../common/tracing/traces.ts";
import { trackWork } from "../workers/consume/work-figures.ts";
import { createRunFigures } from "../workers/run/run-figures.ts";
import { readText } from "./helpers/deploy-files.ts";
import {
  alerts,
  compose,
  composeEnv,
  GIVEN,
  instruction,
  manifests,
  podSpec,
  scrapes,
} from "./helpers/deployed.ts";
import { endProcesses, startProcess, type TestProcess } from "./helpers/process.ts";
import { metricsIn, notServed, readMetrics } from "./helpers/promql.ts";
import { startRedis } from "./helpers/redis.ts";
import { eventually } from "./helpers/wait.ts";

/** Alerts, dashboard and autoscaling ask for what an api serves that was started as docker-compose.yml starts it. */
const dashboard = JSON.parse(readText("scripts/deploy/grafana/talaria.json")) as {
  panels: { title: string; targets?: { expr: string }[] }[];
};
const expressions = [
  ...alerts.map(({ alert, expr }) => ({ about: alert, expr })),
  ...dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({ about: title, expr })),
  ),
  ...manifests.flatMap(({ metadata, spec }) =>
    (spec?.triggers ?? []).map(({ metadata: { query } }) => ({ about: metadata.name, expr: query })),
  ),
];

const WORKER: WorkerInfo = {
  name: "worker-1",
  pid: 1,
  host: "worker",
  version: "0",
  queues: ["runs"],
  profiles: null,
  concurrency: 1,
  running: 0,
  draining: true,
  environment: { scopes: 1, openScopes: 0, p50Us: 1, p99Us: 1, maxUs: 1 },
  last_progress_at: null,
  stalled_since: null,
  restarts: 0,
  started_at: Date.now() / 1000,
  // Nobody says it again.
  seen_at: Date.now() / 1000 + 3600,
};

let api: TestProcess;
let url: string;
let end: () => Promise<void>;
const headers = { authorization: `Bearer ${GIVEN.TALARIA_TOKEN}`, "content-type": "application/json" };
const post = async (path: string, body: unknown): Promise<Record<string, { id: string }>> =>
  (await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) })).json() as never;

beforeAll(async () => {
  const home = await mkdtemp(join(tmpdir(), "talaria-deploy-"));
  const redis = await startRedis({ appendonly: true, args: ["--requirepass", GIVEN.REDIS_PASSWORD] });
  const REDIS_URL = composeEnv("api").REDIS_URL?.replace("redis:6379", `127.0.0.1:${redis.port}`) ?? "";
  api = await startProcess("api/main.ts", {
    ...composeEnv("api"),
    REDIS_URL,
    TALARIA_HOME: home,
    PORT: "0",
  });
  url = String(api.ready.url).replace("0.0.0.0", "127.0.0.1");
  const connection = connectRedis(REDIS_URL, "command");
  // A worker that takes nothing: what it says of itself is enough.
  await createWorkerRegistry(connection, createKeys(SETTINGS.prefix.default).workers).put(WORKER);
  // What it has counted, by the code that counts in a worker.
  const figures = createFigures();
  createRunFigures(figures.registry);
  trackWork(figures.registry, ["runs", "titles"], NO_TRACES);
  await createFiguresBoard(connection, createKeys(SETTINGS.prefix.default).figures, () => WORKER.seen_at).put(
    {
      process: WORKER.name,
      families: await figures.families(),
    },
  );
  end = async () => {
    connection.disconnect();
    await endProcesses();
    await redis.kill();
    await rm(home, { recursive: true, force: true });
  };
});
afterAll(() => end());

test("serves every metric, with the labels and their values, that alerts, dashboard and autoscaling ask for", async () => {
  const { session } = await post("/api/sessions", {});
  const { run } = await post(`/api/sessions/${session?.id}/runs`, { input: "hello" });
  await fetch(`${url}/readyz`);
  const stop = new AbortController();
  await fetch(`${url}/api/runs/${run?.id}/events`, { headers, signal: stop.signal });
  stop.abort();
  let served = readMetrics("");
  const read = async (): Promise<boolean> => {
    served = readMetrics(await (await fetch(`${url}/metrics`, { headers })).text());
    const filled = (name: string, label: string): boolean => served.get(name)?.has(label) === true;
    return filled("talaria_sse_streams_ended_total", "reason") && filled("talaria_backlog_jobs", "reason");
  };
  await eventually("a stream has ended and a run waits", read);

  const reasons = new Set<string>(BacklogSchema.shape.reason.options);
  for (const [name, labels] of served) if (name.startsWith("talaria_backlog_")) labels.set("reason", reasons);
  const wrong = expressions.flatMap(({ about, expr }) =>
    notServed(expr, served).map((what) => `${about}: ${what}`),
  );
  expect(wrong).toEqual([]);
  // The dashboard is the whole picture: a metric that it leaves out was forgotten.
  const shown = dashboard.panels.flatMap(({ targets = [] }) =>
    targets.flatMap(({ expr }) => metricsIn(expr)),
  );
  const base = (name: string): string => name.replace(/_(bucket|sum|count)$/, "");
  const ours = [...served.keys()].map(base).filter((name) => name.startsWith("talaria_"));
  const forgotten = ours.filter((name) => !shown.map(base).includes(name));
  expect(forgotten).toEqual([]);
});
test("/metrics wants the token that the scrape sends", async () => {
  expect(scrapes).toMatchObject([{ job_name: "talaria", authorization: { type: "Bearer" } }]);
  expect((await fetch(`${url}/metrics`)).status).toBe(401);
  expect((await fetch(`${url}/metrics`, { headers })).status).toBe(200);
});
test("the image's health check passes while it serves; it ends on SIGTERM within its grace, and then the check fails", async () => {
  const [program = "", ...args] = JSON.parse(instruction("HEALTHCHECK").replace(/^.*?CMD /, "")) as string[];
  expect(program).toBe("node");
  const { port } = new URL(url);
  const check = (): Promise<number | null> =>
    new Promise((done) => {
      const child = execFile(process.execPath, args, { env: { PORT: port }, timeout: 20_000 });
      child.once("exit", done);
    });
  expect(await check()).toBe(0);
  const begun = performance.now();
  expect(await api.stop()).toBe(0);
  const graceS = Math.min(
    podSpec("talaria-api").terminationGracePeriodSeconds,
    Number(/^(\d+)s$/.exec(compose.services.api?.stop_grace_period ?? "")?.[1]),
  );
  expect((performance.now() - begun) / 1000).toBeLessThan(graceS);
  expect(await check()).toBe(1);
});

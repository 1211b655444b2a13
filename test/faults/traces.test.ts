import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Run } from "../../common/contracts/run.ts";
import { type Deployment, startDeployment } from "../helpers/deployment.ts";
import { type OtlpCollector, type ReceivedSpan, startOtlpCollector } from "../helpers/otlp-collector.ts";
import type { TestProcess } from "../helpers/process.ts";
import { eventually, within } from "../helpers/wait.ts";
import { commandPrompt } from "../helpers/whole.ts";

/** Spans over the queue hop, told to a real collector by real processes; switched on by the standard variables alone. */
const KEY = "canary-of-the-collector-4f8a";
const PROMPT = "canary-of-the-prompt-91b2";
const SAY_MODULES = `--import=${fileURLToPath(new URL("./fixtures/say-modules.ts", import.meta.url))}`;

let collector: OtlpCollector;
let d: Deployment;
let worker: TestProcess;
const tracing = (): Record<string, string> => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  OTEL_EXPORTER_OTLP_HEADERS: `x-collector-key=${KEY}`,
  OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test",
});

beforeAll(async () => {
  collector = await startOtlpCollector();
  d = await startDeployment({ ...tracing(), TALARIA_QUEUES: "runs,titles" });
  worker = await d.startWorker();
});
afterAll(async () => {
  await d.close();
  await collector.close();
});

const ofRun = (run: Run): ReceivedSpan[] =>
  collector.spans.filter(({ attributes }) => attributes["talaria.run.id"] === run.id);
/** The named span of a run, once it has arrived. */
const span = (run: Run, name: string, attempt?: number): Promise<ReceivedSpan> =>
  eventually(`${name} of ${run.id} arrives`, () =>
    ofRun(run).find(
      (one) =>
        one.name === name && (attempt === undefined || Number(one.attributes["talaria.attempt"]) === attempt),
    ),
  );
const childrenOf = (parent: ReceivedSpan): ReceivedSpan[] =>
  collector.spans.filter(({ parentSpanId }) => parentSpanId === parent.spanId);

describe("a run's trace", () => {
  test("begins at the caller's span and goes over the queue to model calls, tools and the commit", async () => {
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    const callers = "b7ad6b7169203331";
    const session = await d.createSession();
    const { body, status } = await d.request<{ run: Run }>(
      "POST",
      `/api/sessions/${session.id}/runs`,
      { input: commandPrompt(`env > seen-env; echo ${PROMPT}`, "tokens=3") },
      { traceparent: `00-${traceId}-${callers}-01` },
    );
    expect(status).toBe(202);
    const { run } = body;
    await within("the run ends", d.follow(run.id).ended);
    const accept = await span(run, "accept run");
    const attempt = await span(run, "run attempt");
    const enqueue = await span(run, "enqueue run");
    expect([accept, enqueue, attempt].map((one) => one.traceId)).toEqual([traceId, traceId, traceId]);
    expect([accept, enqueue, attempt].map((one) => one.parentSpanId)).toEqual([
      callers,
      accept.spanId,
      accept.spanId,
    ]);
    expect([accept.resource["service.name"], attempt.resource["service.name"]]).toEqual([
      "talaria-api",
      "talaria-worker",
    ]);
    expect(attempt.resource).toMatchObject({ "deployment.environment.name": "test" });
    expect(attempt.attributes).toMatchObject({
      "talaria.session.id": session.id,
      "talaria.run.status": "completed",
      "talaria.attempt.end": "completed",
    });
    expect(
      childrenOf(attempt)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(["commit", "model call", "model call", "tool call"]);
    const [tool] = childrenOf(attempt).filter(({ name }) => name === "tool call");
    expect(tool?.attributes).toMatchObject({
      "gen_ai.tool.name": "run_command",
      "talaria.tool.outcome": "done",
    });
    const model = childrenOf(attempt).find(({ name }) => name === "model call");
    expect(model?.attributes).toMatchObject({
      "gen_ai.request.model": "fake",
      "gen_ai.provider.name": "custom",
    });
    expect(Number(model?.attributes["gen_ai.usage.output_tokens"])).toBeGreaterThanOrEqual(0);
  });

  test("holds nothing that was said; the collector's key reaches the collector and no run", async () => {
    await eventually("both processes have sent", () =>
      ["talaria-api", "talaria-worker"].every((name) =>
        collector.spans.some(({ resource }) => resource["service.name"] === name),
      ),
    );
    expect(collector.headers.map((headers) => headers["x-collector-key"])).toEqual(
      collector.headers.map(() => KEY),
    );
    expect(collector.text()).not.toMatch(new RegExp(`${PROMPT}|${KEY}`));
    expect(collector.text()).toMatch(/^\/v1\/traces$/m);
    const seen = readFileSync(join(d.home, "workspace", "seen-env"), "utf8");
    expect(seen).toMatch(/^TALARIA_RUN_ID=/m);
    expect(seen).not.toMatch(/OTEL|canary-of-the-collector/);
    expect(worker.output() + d.api.output()).not.toContain(KEY);
  });

  test("goes on in the next worker after kill -9", async () => {
    const session = await d.createSession();
    const run = await d.startRun(session.id, "[[fake tokens=60 rate=30]]");
    const follower = d.follow(run.id);
    await within(
      "it says something",
      follower.until((frame) => frame.event === "token"),
    );
    await worker.kill();
    worker = await d.startWorker();
    await within("the run ends", follower.ended);
    const accept = await span(run, "accept run");
    const second = await span(run, "run attempt", 2);
    expect([second.traceId, second.parentSpanId]).toEqual([accept.traceId, accept.spanId]);
    expect(second.attributes["talaria.run.status"]).toBe("completed");
  });

  test("says the code of a failure, and what was tried again is one model call", async () => {
    const session = await d.createSession();
    const run = await d.startRun(session.id, `${PROMPT} [[fake fail=401]]`);
    await within("the run ends", d.follow(run.id).ended);
    const attempt = await span(run, "run attempt");
    expect(attempt.status).toEqual({ code: 2, message: "gateway_auth_error" });
    expect(attempt.attributes["error.type"]).toBe("gateway_auth_error");
    const [model] = childrenOf(attempt).filter(({ name }) => name === "model call");
    expect(model?.status).toEqual({ code: 2, message: "gateway_auth_error" });
    expect(collector.text()).not.toContain(PROMPT);
  });

  test("background jobs have spans of their own", async () => {
    const job = await eventually("a title's span arrives", () =>
      collector.spans.find(({ name }) => name === "background job"),
    );
    expect(job.attributes).toMatchObject({ "talaria.job.kind": "titles" });
  });

  test("a stop signal sends what is left before the process ends", async () => {
    const session = await d.createSession();
    const run = await d.startRun(session.id, "[[fake tokens=2]]");
    await within("the run ends", d.follow(run.id).ended);
    expect(await worker.stop()).toBe(0);
    expect(ofRun(run).filter(({ name }) => name === "run attempt")).toHaveLength(1);
    worker = await d.startWorker();
  });
});

describe("what is loaded", () => {
  const loadedBy = async (env: Record<string, string>): Promise<string> => {
    const file = join(d.home, "loaded");
    await rm(file, { force: true });
    const other = await d.startWorker({ NODE_OPTIONS: SAY_MODULES, SAY_FILE: file, ...env });
    expect(await other.stop()).toBe(0);
    return readFileSync(file, "utf8");
  };

  test("off by default: nothing but the interface, and nothing is sent", async () => {
    const off = {
      OTEL_EXPORTER_OTLP_ENDPOINT: "",
      OTEL_EXPORTER_OTLP_HEADERS: "",
      OTEL_RESOURCE_ATTRIBUTES: "",
    };
    expect(await loadedBy(off)).toBe("api");
    expect(await loadedBy({ OTEL_SDK_DISABLED: "true" })).toBe("api");
    expect(await loadedBy({ OTEL_TRACES_EXPORTER: "none" })).toBe("api");
    expect(await loadedBy({})).toMatch(/exporter-trace-otlp-http .*sdk-trace/);
  });
});

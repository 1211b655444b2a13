import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Run } from "../../common/contracts/run.ts";
import { type Deployment, startDeployment } from "../helpers/deployment.ts";
import type { TestProcess } from "../helpers/process.ts";
import { eventually, within } from "../helpers/wait.ts";
import { commandPrompt } from "../helpers/whole.ts";

/** One line of the log, and the metrics, tell why a run was slow or failed. */
let d: Deployment;
let worker: TestProcess;

beforeAll(async () => {
  d = await startDeployment();
  worker = await d.startWorker();
});
afterAll(() => d.close());

const send = async (input: string): Promise<Run> => {
  const session = await d.createSession();
  const run = await d.startRun(session.id, input);
  await within("the run ends", d.follow(run.id).ended);
  return d.getRun(run.id);
};
const lineOf = (run: Run): Promise<Record<string, unknown>> =>
  eventually("the line is written", () => {
    const lines = worker
      .output()
      .split("\n")
      .filter((line) => line.includes(run.id) && line.includes('"run ended"'));
    expect(lines.length).toBeLessThanOrEqual(1);
    return lines[0] === undefined ? undefined : (JSON.parse(lines[0]) as Record<string, unknown>);
  });
/** Samples of a metric whose line holds all of these texts, added up. */
const metric = async (name: string, ...labels: readonly string[]): Promise<number> => {
  const text = await (await fetch(`${d.url()}/metrics`)).text();
  return text
    .split("\n")
    .filter((line) => line.startsWith(`${name}{`) && labels.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
};
const stage = (name: string, outcome: string): Promise<number> =>
  metric("talaria_run_stage_seconds_count", `stage="${name}"`, `outcome="${outcome}"`);

describe("the line of a run's end", () => {
  test("a slow tool is named, with its time", async () => {
    const run = await send(commandPrompt("sleep 1.2", "tokens=3"));
    const line = await lineOf(run);
    expect(line).toMatchObject({
      ...{ status: "completed", mostly: "tools", toolCalls: 1, modelCalls: 2, attempt: 1 },
      slowestTool: { name: "run_command", seconds: expect.any(Number) },
    });
    expect(Number(line.toolsS)).toBeGreaterThan(1.1);
    for (const part of ["heldS", "queuedS", "modelS", "journalS", "databaseS", "commitS", "firstOutputS"])
      expect(line[part]).toEqual(expect.any(Number));
    expect(Number(line.seconds)).toBeGreaterThan(Number(line.toolsS));
  });

  test("a provider's refusals are counted by what it answered, with the time that was waited", async () => {
    const run = await send("[[fake fail=429 times=2 after=1 key=story tokens=3]]");
    expect(await lineOf(run)).toMatchObject({
      ...{ status: "completed", mostly: "retries", retries: { "429": 2 }, retryWaitS: 2, modelCalls: 1 },
    });
    await eventually(
      "the worker has said so",
      async () => (await metric("talaria_model_retries_total", '"429"')) === 2,
    );
  });

  test("a slow first word is the model's", async () => {
    const line = await lineOf(await send("[[fake ttft=900 tokens=3]]"));
    expect(line).toMatchObject({ mostly: "model", toolCalls: 0, toolsS: 0, retryWaitS: 0 });
    expect(Number(line.firstOutputS)).toBeGreaterThan(0.85);
    expect(Number(line.modelS)).toBeGreaterThan(0.85);
  });

  test("a failure has its code and the sentence for people", async () => {
    const run = await send("[[fake fail=401]]");
    expect(await lineOf(run)).toMatchObject({
      ...{ status: "failed", code: "gateway_auth_error", firstOutputS: null, modelCalls: 1 },
      reason: run.error?.message,
    });
  });

  test("a message that waits behind another one was held, and a lost worker's time is told apart", async () => {
    const session = await d.createSession();
    const first = await d.startRun(session.id, "[[fake tokens=60 rate=40]]");
    const follower = d.follow(first.id);
    const second = await d.startRun(session.id, "[[fake tokens=3]]", { on_busy: "queue" });
    await within(
      "it says something",
      follower.until((frame) => frame.event === "token"),
    );
    await worker.kill();
    worker = await d.startWorker();
    await within("the second ends", d.follow(second.id).ended);
    const line = await lineOf(first);
    expect(line).toMatchObject({ attempt: 2, status: "completed" });
    expect(Number(line.earlierAttemptsS)).toBeGreaterThan(0.5);
    const waited = await lineOf(second);
    expect(waited).toMatchObject({ mostly: "held", earlierAttemptsS: 0 });
    expect(Number(waited.heldS)).toBeGreaterThan(1);
  });
});

describe("the histogram by stage", () => {
  test("counts each run once, and loses nothing when everything is killed", async () => {
    const before = await stage("total", "completed");
    const failed = await stage("total", "failed");
    expect(before).toBe(5);
    expect(failed).toBe(1);
    for (const name of ["held", "queued"]) expect(await stage(name, "completed")).toBe(before);
    // The attempt that showed the first word was killed: nobody knows when that was.
    expect(await stage("first_output", "completed")).toBe(before - 1);
    expect(await stage("first_output", "failed")).toBe(0);
    expect(
      await metric("talaria_run_stage_seconds_bucket", 'stage="total"', '"completed"', 'le="0.5"'),
    ).toBeLessThan(before);
    expect(
      await metric("talaria_run_stage_seconds_bucket", 'stage="total"', '"completed"', 'le="+Inf"'),
    ).toBe(before);
    await Promise.all([worker.kill(), d.api.kill()]);
    await d.startApi();
    worker = await d.startWorker();
    await send("[[fake tokens=2]]");
    expect(await stage("total", "completed")).toBe(before + 1);
  });

  test("a run that was stopped before it began is counted, too", async () => {
    await worker.stop();
    const session = await d.createSession();
    const run = await d.startRun(session.id, "[[fake tokens=2]]");
    await d.request("POST", `/api/runs/${run.id}/cancel`, {});
    await within("the api says so", d.api.says("run ended before it began"));
    expect([await stage("total", "cancelled"), await stage("queued", "cancelled")]).toEqual([1, 0]);
  });
});

describe("figures of processes", () => {
  test("those of a worker that was stopped stay to be scraped, and are told apart from the next one's", async () => {
    const nameOf = ({ output }: TestProcess): string => /"worker":"([^"]+)"/.exec(output())?.[1] ?? "nobody";
    const completed = (process: TestProcess): Promise<number> =>
      metric(
        "talaria_run_attempts_total",
        `process="${nameOf(process)}"`,
        'role="worker"',
        'end="completed"',
      );
    await worker.stop();
    const stopped = await d.startWorker();
    await send("[[fake tokens=2]]");
    await stopped.stop();
    expect(await completed(stopped)).toBe(1);
    worker = await d.startWorker();
    await send("[[fake tokens=2]]");
    await eventually("the next one has said so", async () => (await completed(worker)) === 1);
    expect(await metric("talaria_journal_events_total", 'role="worker"')).toBeGreaterThan(0);
    expect(await metric("talaria_journal_append_seconds_count", 'role="api"')).toBeGreaterThan(0);
    expect(
      await metric("talaria_store_batch_calls_count", 'store="talaria-db-write"', 'role="worker"'),
    ).toBeGreaterThan(0);
    expect(await metric("process_resident_memory_bytes", 'role="worker"')).toBeGreaterThan(1e6);
    const text = await (await fetch(`${d.url()}/metrics`)).text();
    const families = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    expect(new Set(families).size).toBe(families.length);
  });
});

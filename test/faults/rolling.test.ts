import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Job } from "../../common/contracts/job.ts";
import type { Run } from "../../common/contracts/run.ts";
import { type Deployment, startDeployment } from "../helpers/deployment.ts";
import type { Follower } from "../helpers/follower.ts";
import { eventually, within } from "../helpers/wait.ts";
import { commandPrompt } from "../helpers/whole.ts";

/** All processes are replaced, one after another, under load (background-jobs B-40; issue "rolling replacement"). */
let d: Deployment;
beforeAll(async () => {
  // Less time than a run takes: whoever stops has to hand back.
  d = await startDeployment({ TALARIA_QUEUES: "runs,titles", TALARIA_DRAIN_MS: "300" });
  // The model does what a prompt says also where a title's prompt quotes it, as slowly: then the user's words do.
  await appendFile(join(d.home, "config.yaml"), "auxiliary: {title_generation: {timeout: 0.5}}\n");
});
afterAll(() => d.close());

const RUNS = 100;
/** Half a minute of text: on a machine full of other work a new worker takes its time to start. */
const WORDS = 240;

test("B-40 rolling-restart: 100 runs while both workers and the api are replaced; none fails, each effect is there once", async () => {
  let workers = [await d.startWorker(), await d.startWorker()];
  const log = join(d.home, "effects");
  const started: { readonly run: Run; readonly follower: Follower; readonly mark: string }[] = [];
  for (let n = 0; n < RUNS; n++) {
    const session = await d.createSession();
    const mark = `effect-${n}`;
    // Every fourth does something that must not be done twice, in the middle of what it says.
    const prompt =
      n % 4 === 0
        ? commandPrompt(`echo ${mark} >> ${log}`, `pre=40 tokens=${WORDS - 40} rate=8`)
        : `a long answer [[fake tokens=${WORDS} rate=8]]`;
    const run = await d.startRun(session.id, prompt);
    started.push({ run, follower: d.follow(run.id), mark });
  }
  await eventually("they run", async () => {
    const { data } = (await d.request<{ data: Run[] }>("GET", "/api/runs?status=running&limit=200")).body;
    return data.length >= RUNS / 4;
  });
  for (const old of workers) {
    const next = await d.startWorker();
    expect(await old.stop()).toBe(0);
    workers = [...workers.filter((worker) => worker !== old), next];
  }
  expect(await d.api.stop()).toBe(0);
  await d.startApi();

  await within("all end", Promise.all(started.map(({ follower }) => follower.ended)), 120_000);
  const runs = await Promise.all(started.map(({ run }) => d.getRun(run.id)));
  expect(runs.map(({ status }) => status)).toEqual(Array(RUNS).fill("completed"));
  expect(runs.filter(({ attempt }) => attempt > 1).length).toBeGreaterThan(0);
  const effects = (await readFile(log, "utf8")).trim().split("\n").sort();
  expect(effects).toEqual(started.flatMap(({ mark }, n) => (n % 4 === 0 ? [mark] : [])).sort());
  for (const { follower, run } of started) {
    const messages = (await d.messages(run.session_id)).filter(({ role }) => role === "assistant");
    expect(messages.map(({ content }) => content).join("")).toBe(follower.text());
    expect(follower.text().trim().split(" ")).toHaveLength(WORDS);
  }
  // The titles that were under way are there, too, once each.
  await eventually(
    "every session has its title",
    async () => {
      const jobs = await Promise.all(
        started.map(async ({ run }) => {
          const path = `/api/sessions/${run.session_id}/jobs`;
          return (await d.request<{ data: Job[] }>("GET", path)).body.data;
        }),
      );
      return jobs.every((list) => list.length === 1 && list[0]?.state === "done");
    },
    60_000,
  );
}, 240_000);

import { writeFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Job } from "../../common/contracts/job.ts";
import type { Ops } from "../../common/contracts/ops.ts";
import type { Session } from "../../common/contracts/session.ts";
import { type Deployment, startDeployment } from "../helpers/deployment.ts";
import { followSession, type SessionFollower } from "../helpers/session-follower.ts";
import { eventually, within } from "../helpers/wait.ts";

/** Background jobs while the workers that do them are replaced (background-jobs B-40). */
const JOBS = 20;
let d: Deployment;
const followers: SessionFollower[] = [];
/** Requests for a title that nobody has answered yet. */
const held = new Set<ServerResponse>();
let isHolding = true;

const answer = (response: ServerResponse): void => {
  const message = { role: "assistant", content: "Trip to Lisbon" };
  const choices = [{ index: 0, finish_reason: "stop", message }];
  response.writeHead(200, { "content-type": "application/json" });
  response.end(
    JSON.stringify({ id: "1", object: "chat.completion", created: 1, model: "t", choices, usage: {} }),
  );
};
const titles = createServer((request, response) => {
  request.resume();
  if (!isHolding) return answer(response);
  held.add(response);
  response.once("close", () => held.delete(response));
});

beforeAll(async () => {
  await new Promise<void>((resolve) => titles.listen(0, "127.0.0.1", resolve));
  // Less time than any job gets here: whoever stops has to hand back.
  d = await startDeployment({
    TALARIA_QUEUES: "runs,titles",
    TALARIA_DRAIN_MS: "300",
    TALARIA_JOB_CONCURRENCY: String(JOBS),
  });
  const { port } = titles.address() as AddressInfo;
  await writeFile(
    join(d.home, "config.yaml"),
    `model: {provider: custom, default: fake, base_url: "${d.model.url}"}\n` +
      `auxiliary: {title_generation: {provider: custom, model: t, timeout: 50, base_url: "http://127.0.0.1:${port}/v1"}}\n`,
  );
});
afterAll(async () => {
  for (const follower of followers) follower.close();
  titles.closeAllConnections();
  titles.close();
  await d.close();
});

const names = async (): Promise<readonly string[]> =>
  (await d.request<{ ops: Ops }>("GET", "/api/ops")).body.ops.workers?.map(({ name }) => name) ?? [];

test("B-40 rolling-restart: 20 jobs in progress, the workers replaced one by one; all 20 effects exist exactly once", async () => {
  const workers = [await d.startWorker(), await d.startWorker()];
  await eventually("two workers", async () => (await names()).length === 2, 30_000);
  const sessions: { readonly id: string; readonly events: SessionFollower }[] = [];
  for (let n = 0; n < JOBS; n++) {
    const { id } = await d.createSession();
    const events = await followSession(() => d.url(), id);
    followers.push(events);
    sessions.push({ id, events });
    await d.startRun(id, "Please plan a trip to Lisbon [[fake tokens=3]]");
  }
  await eventually("all jobs are in progress", () => held.size === JOBS, 60_000);

  for (const name of await names()) {
    workers.push(await d.startWorker());
    expect((await d.request("POST", `/api/ops/workers/${name}/drain`, {})).status).toBe(202);
    await eventually("it is gone", async () => !(await names()).includes(name), 60_000);
    // The next one goes while what this one gave back is in progress again.
    await eventually("in progress again", () => held.size === JOBS, 60_000);
  }
  expect(await Promise.all(workers.slice(0, 2).map(({ exited }) => exited))).toEqual([0, 0]);
  isHolding = false;
  for (const response of held) answer(response);

  for (const { id, events } of sessions) {
    const { data } = await within(
      "the job ends",
      events.until(({ event, data }) => event === "job" && (data.job as Job).ended_at !== null),
      30_000,
    );
    expect(data.job).toMatchObject({ state: "done", reason: null, session_id: id });
    const session = (await d.request<{ session: Session }>("GET", `/api/sessions/${id}`)).body.session;
    expect(session).toMatchObject({ title: "Trip to Lisbon", title_source: "generated" });
    expect(events.frames.filter(({ event }) => event === "title")).toHaveLength(1);
  }
  // Handing back did not use the attempts up.
  expect((await d.request<{ data: Job[] }>("GET", "/api/ops/jobs")).body.data).toEqual([]);
}, 240_000);

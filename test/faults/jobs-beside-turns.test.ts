import { writeFile } from "node:fs/promises";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Job } from "../../common/contracts/job.ts";
import { customModel, type Deployment, NO_TITLES, startDeployment } from "../helpers/deployment.ts";
import { eventually, within } from "../helpers/wait.ts";

/** Background work and the turn that starts beside it (background-jobs B-6). */
let d: Deployment;
let auxiliary: Server;
const asked = Promise.withResolvers<void>();
const held: ServerResponse[] = [];
beforeAll(async () => {
  auxiliary = createServer((request, response) => {
    request.resume();
    held.push(response);
    asked.resolve();
  });
  await new Promise<void>((resolve) => auxiliary.listen(0, "127.0.0.1", resolve));
  d = await startDeployment({ TALARIA_QUEUES: "runs,titles" });
});
afterAll(async () => {
  auxiliary.closeAllConnections();
  auxiliary.close();
  await d.close();
});

/** Two turns; what the model was asked for the second one. */
const secondRequest = async (before: () => Promise<void>): Promise<unknown> => {
  const session = await d.createSession();
  const turn = async (input: string): Promise<void> => {
    const run = await d.startRun(session.id, input);
    await within("the run ends", d.follow(run.id).ended);
  };
  await turn("Please plan a trip to Lisbon [[fake tokens=3 reasoning=2]]");
  await before();
  await turn("And now to Porto [[fake tokens=3 reasoning=2]]");
  return d.model.requests().at(-1);
};

test("B-6 title-does-not-alter-next-turn: its request is the same, whether a title is being made beside it or not", async () => {
  const config = join(d.home, "config.yaml");
  const chat = customModel(d.model.url);
  await writeFile(config, chat + NO_TITLES);
  await d.startWorker();
  const alone = await secondRequest(async () => {});
  const { port } = auxiliary.address() as AddressInfo;
  await writeFile(
    config,
    `${chat}auxiliary: {title_generation: {enabled: true, provider: custom, model: slow, base_url: "http://127.0.0.1:${port}/v1"}}\n`,
  );
  let sessionId = "";
  const beside = await secondRequest(async () => {
    await within("a title is asked for", asked.promise);
    const { data } = (await d.request<{ data: { id: string }[] }>("GET", "/api/sessions")).body;
    sessionId = data[0]?.id ?? "";
  });
  const { data: jobs } = (await d.request<{ data: Job[] }>("GET", `/api/sessions/${sessionId}/jobs`)).body;
  expect(jobs).toMatchObject([{ kind: "title", state: "running" }]);
  expect(beside).toEqual(alone);
  expect(JSON.stringify(beside)).toContain("Lisbon");
  expect(JSON.stringify(beside)).toContain("Porto");
  for (const response of held) response.writeHead(500).end("{}");
  await eventually("the title's end", async () => {
    const now = (await d.request<{ data: Job[] }>("GET", `/api/sessions/${sessionId}/jobs`)).body.data;
    return now.every(({ ended_at }) => ended_at !== null);
  });
});

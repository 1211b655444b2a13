import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { Redis } from "ioredis";
import type { MessagePage } from "../../common/contracts/http.ts";
import type { Job } from "../../common/contracts/job.ts";
import type { Recap } from "../../common/contracts/recap.ts";
import type { Session } from "../../common/contracts/session.ts";
import { type Deployment, startDeployment } from "../helpers/deployment.ts";
import { appendOutside } from "../helpers/outside.ts";
import type { TestProcess } from "../helpers/process.ts";
import { startTaskModel, type TaskModel } from "../helpers/task-model.ts";
import { stateDb } from "../helpers/truth.ts";
import { eventually, within } from "../helpers/wait.ts";
import { commandPrompt } from "../helpers/whole.ts";

/** Recaps in a whole deployment, with a model that does what the test says (background-jobs 3.2). */
let d: Deployment;
let model: TaskModel;
let worker: TestProcess;

const BULLETS = "- The tests are still open.\n- The blue one was chosen.";
const configOf = (more = ""): string =>
  `model: {provider: custom, default: fake, base_url: "${model.url}"}\n` +
  `auxiliary: {title_generation: {enabled: false}${more}}\n`;

beforeAll(async () => {
  d = await startDeployment({ TALARIA_QUEUES: "runs,summaries" });
  model = await startTaskModel(() => d.model);
  await writeFile(join(d.home, "config.yaml"), configOf());
  worker = await d.startWorker();
});
afterAll(async () => {
  model.close();
  await d.close();
});
beforeEach(() => {
  model.forget();
  model.say(BULLETS);
});

const turn = async (session: Pick<Session, "id">, input = "Please choose a colour"): Promise<void> => {
  const run = await d.startRun(session.id, `${input} [[fake tokens=3]]`);
  await within("the run ends", d.follow(run.id).ended);
};
const get = async (id: string): Promise<Session> =>
  (await d.request<{ session: Session }>("GET", `/api/sessions/${id}`)).body.session;
const ask = (id: string, body: unknown = {}) =>
  d.request<{ job: Job; error: { code: string } }>("POST", `/api/sessions/${id}/recap`, body);
const page = async (id: string): Promise<MessagePage> =>
  (await d.request<MessagePage>("GET", `/api/sessions/${id}/messages?limit=200`)).body;
const jobOf = async (id: string): Promise<Job> =>
  (await d.request<{ job: Job }>("GET", `/api/jobs/${id}`)).body.job;
const ended = ({ id }: Pick<Job, "id">): Promise<Job> =>
  eventually("the job ends", async () => {
    const job = await jobOf(id);
    return job.ended_at !== null && job;
  });
const recap = async (id: string, body: unknown = {}): Promise<Job> => {
  const { status, body: answer } = await ask(id, body);
  expect(status).toBe(202);
  return ended(answer.job);
};
/** Takes a job that is being done out of the queue, as a Redis does that lost the end of its log. */
const loseJob = async (id: string): Promise<void> => {
  const redis = new Redis(d.redis.url);
  const keys = (await redis.keys("*:queue:*")).filter((key) => key.includes(id));
  const active = await redis.keys("*:queue:*:active");
  for (const key of keys) for (const list of active) await redis.lrem(list, 0, key.split(":").at(-1) ?? "");
  await redis.del(...keys);
  redis.disconnect();
};
const begin = async (...inputs: readonly string[]): Promise<Session> => {
  const session = await d.createSession();
  for (const input of inputs.length === 0 ? [undefined] : inputs) await turn(session, input);
  return session;
};

describe("a card behind the last message", () => {
  test("is told by the job and with the messages, and is no message: count, unread, times and place in the list stay (B-5, B-33)", async () => {
    const session = await begin("Should it be red or blue?");
    const newer = await d.createSession();
    const before = await get(session.id);
    const job = await recap(session.id);
    expect(job).toMatchObject({ kind: "recap", state: "done", reason: null, attempt: 1 });
    const { data, recaps } = await page(session.id);
    const after = data.at(-1)?.id;
    const card: Recap = {
      ...{ session_id: session.id, kind: "recap", after: String(after), generated_by: "model" },
      ...{
        bullets: ["The tests are still open.", "The blue one was chosen."],
        created_at: recaps[0]?.created_at ?? 0,
      },
    };
    expect(recaps).toEqual([card]);
    expect(job.result).toEqual({ recap: card });
    expect(job.id).toBe(`recap-${session.id}-${after}`);
    expect(data.map(({ role }) => role)).toEqual(["user", "assistant"]);
    expect(await get(session.id)).toEqual(before);
    expect(before.message_count).toBe(data.length);
    const list = (await d.request<{ data: Session[] }>("GET", "/api/sessions?limit=2")).body.data;
    expect(list.map(({ id }) => id)).toEqual([newer.id, session.id]);
    const request = JSON.parse(model.asked[0]?.body ?? "") as { max_tokens: number };
    expect([model.asked.length, request.max_tokens]).toEqual([1, 700]);
  });

  test("B-33 recap-not-in-context: the next turn's prompt does not contain it, nor do copies, exports and searches", async () => {
    model.say("- The zebrafish task is open.\n- Zebrafish were decided.");
    const session = await begin();
    await recap(session.id);
    await turn(session, "and now?");
    const prompt = model.said.at(-1) ?? "";
    expect(prompt).toContain("and now?");
    expect(prompt).toContain("Please choose a colour");
    expect(prompt.toLowerCase()).not.toContain("zebrafish");
    const shown = await page(session.id);
    expect(shown.recaps.map(({ after }) => shown.data.findIndex(({ id }) => id === after))).toEqual([1]);
    const copy = (await d.request<{ session: Session }>("POST", `/api/sessions/${session.id}/duplicate`, {}))
      .body.session;
    expect((await page(copy.id)).recaps).toEqual([]);
    const exported = await (
      await fetch(`${d.url()}/api/sessions/${session.id}/export?format=markdown`)
    ).text();
    expect(exported.toLowerCase()).not.toContain("zebrafish");
    const found = await d.request<{ data: unknown[] }>("GET", "/api/search?q=zebrafish");
    expect(found.body.data).toEqual([]);
  });

  test("B-33 recap-twice: two clicks without new messages are one card and one call; new messages make another one", async () => {
    const session = await begin();
    const held = model.hold();
    const both = [ask(session.id), ask(session.id)];
    await held.begun;
    held.go(BULLETS);
    const jobs = await Promise.all((await Promise.all(both)).map(({ body }) => ended(body.job)));
    expect(new Set(jobs.map(({ id }) => id)).size).toBe(1);
    expect(await recap(session.id)).toMatchObject({ state: "done" });
    expect((await page(session.id)).recaps).toHaveLength(1);
    expect(model.asked).toHaveLength(1);
    await turn(session, "one more");
    await recap(session.id);
    expect((await page(session.id)).recaps).toHaveLength(2);
  });

  test("a hand-off is a card of its own, with what is open first", async () => {
    const session = await begin();
    await recap(session.id);
    await recap(session.id, { kind: "handoff" });
    expect((await page(session.id)).recaps.map(({ kind }) => kind)).toEqual(["recap", "handoff"]);
    expect(model.asked.map(({ body }) => body.includes("open tasks first"))).toEqual([false, true]);
    expect((await ask(session.id, { kind: "poem" })).status).toBe(400);
  });

  test("goes with the message that it stands behind", async () => {
    const session = await begin("first", "second");
    await recap(session.id);
    expect((await d.request("POST", `/api/sessions/${session.id}/undo`, {})).status).toBe(200);
    expect((await page(session.id)).recaps).toEqual([]);
  });

  test("422 where nothing was said", async () => {
    const { status, body } = await ask((await d.createSession()).id);
    expect([status, body.error.code]).toEqual([422, "nothing_to_recap"]);
    expect((await ask("ses_none")).status).toBe(404);
  });

  test("a key that the model repeats does not get onto the card", async () => {
    await writeFile(join(d.home, ".env"), "DEPLOY_TOKEN=hunter2-and-a-half-9431\n");
    model.say("- The key is hunter2-and-a-half-9431 for now.\n- Nothing else is open.");
    const session = await begin();
    const job = await recap(session.id);
    expect(JSON.stringify([job, await page(session.id)])).not.toContain("hunter2-and-a-half-9431");
    await writeFile(join(d.home, ".env"), "");
  });
});

describe("the answer", () => {
  test("that was cut is asked for once more, with 1400 tokens", async () => {
    model.cutBelow(1_400);
    const session = await begin();
    expect(await recap(session.id)).toMatchObject({ state: "done", reason: null });
    const tokens = model.asked.map(({ body }) => (JSON.parse(body) as { max_tokens: number }).max_tokens);
    expect(tokens).toEqual([700, 1400]);
  });

  test("that does not come, or is none: two bullets of the conversation's own words; the next click tries again", async () => {
    const session = await begin("Bitte führe die Tests aus");
    model.fail(500);
    const job = await recap(session.id);
    expect(job.state).toBe("done");
    expect(job.reason).not.toBeNull();
    const [card, ...more] = (await page(session.id)).recaps;
    expect(more).toEqual([]);
    expect(card).toMatchObject({ generated_by: "fallback" });
    expect(card?.bullets).toHaveLength(2);
    expect(card?.bullets[0]).toContain("Bitte führe die Tests aus");
    model.say("- Die Tests sind noch nicht gelaufen und stehen aus.\n- Es wurde nichts entschieden.");
    expect(await recap(session.id)).toMatchObject({ state: "done", reason: null });
    expect((await page(session.id)).recaps).toEqual([expect.objectContaining({ generated_by: "model" })]);
  });

  test("is made from 50 messages, each cut at 1000 characters, and from nothing that tools said", async () => {
    const session = await begin(
      `START ${"long ".repeat(400)} END`,
      commandPrompt("echo by-$((40+2))-tools", ""),
    );
    expect((await d.messages(session.id)).find(({ role }) => role === "tool")?.content).toContain(
      "by-42-tools",
    );
    await recap(session.id);
    const asked = model.asked[0]?.body ?? "";
    expect(asked).toContain("START");
    expect(asked).not.toContain("END");
    expect(asked).not.toContain("by-42-tools");
    const before = (await d.messages(session.id)).length;
    await appendOutside(stateDb(d), session.id, 54);
    await eventually("they are there", async () => (await d.messages(session.id)).length === before + 54);
    await recap(session.id);
    const later = model.asked[1]?.body ?? "";
    expect(later.match(/<(person|assistant)>/g)).toHaveLength(50);
    expect(later).not.toContain("START");
  });

  test("comes from nobody where summaries are off", async () => {
    await writeFile(join(d.home, "config.yaml"), configOf(", summaries: {enabled: false}"));
    const session = await begin();
    expect(await recap(session.id)).toMatchObject({ state: "skipped", reason: "disabled" });
    expect(model.asked).toEqual([]);
    await writeFile(join(d.home, "config.yaml"), configOf());
  });
});

test("B-34 recap-other-profile: P's provider and key are used while others are worked with; a pinned other provider is nobody's", async () => {
  for (const name of ["p", "q"]) {
    const folder = join(d.home, "profiles", name);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "config.yaml"), configOf());
    await writeFile(join(folder, ".env"), `OPENAI_API_KEY=key-of-${name}\n`);
  }
  const sessionOf = async (body: unknown): Promise<Session> =>
    (await d.request<{ session: Session }>("POST", "/api/sessions", body)).body.session;
  const session = await sessionOf({ profile: "p" });
  await turn(session);
  const held = model.hold();
  const { job } = (await ask(session.id)).body;
  await held.begun;
  await turn(await sessionOf({ profile: "q" }));
  held.go(BULLETS);
  expect(await ended(job)).toMatchObject({ state: "done", profile: "p", reason: null });
  expect(model.asked.map(({ key }) => key)).toEqual(["Bearer key-of-p"]);

  const pinned = await sessionOf({ profile: "p" });
  await turn(pinned);
  expect((await d.request("PATCH", `/api/sessions/${pinned.id}`, { model: "@anthropic:fake" })).status).toBe(
    200,
  );
  model.forget();
  expect(await recap(pinned.id)).toMatchObject({ state: "done", reason: "no_route" });
  expect(model.asked).toEqual([]);
});

describe("what is killed, cancelled or deleted half-way", () => {
  test("a worker that is killed in the model call: another one makes the card, once", async () => {
    const session = await begin();
    const held = model.hold();
    const { job } = (await ask(session.id)).body;
    await held.begun;
    await worker.kill();
    worker = await d.startWorker();
    held.go(BULLETS);
    expect(await ended(job)).toMatchObject({ state: "done", attempt: 2 });
    expect((await page(session.id)).recaps).toHaveLength(1);
  });

  test("a second attempt that takes long is not begun a third time where lost work is looked for (B-2)", async () => {
    const [session, other] = [await begin(), await begin()];
    const held = model.hold();
    const { job } = (await ask(session.id)).body;
    await held.begun;
    await worker.kill();
    worker = await d.startWorker();
    await eventually("the second attempt asks the model", () => model.asked.length === 2);
    const lost = (await ask(other.id)).body.job;
    await eventually("the other one is begun", () => model.asked.length === 3);
    // Whoever brings this one back has looked at both.
    await loseJob(lost.id);
    await eventually("lost work is found", async () => (await jobOf(lost.id)).attempt === 2);
    held.go(BULLETS);
    expect(await ended(lost)).toMatchObject({ state: "done" });
    expect(await ended(job)).toMatchObject({ state: "done", attempt: 2 });
  });

  test("a worker that stalls behind the call adds nothing when it wakes up (B-2)", async () => {
    const session = await begin();
    const held = model.hold();
    const { job } = (await ask(session.id)).body;
    await held.begun;
    worker.signal("SIGSTOP");
    const other = await d.startWorker();
    held.go(BULLETS);
    expect(await ended(job)).toMatchObject({ state: "done", attempt: 2 });
    const [card] = (await page(session.id)).recaps;
    await other.stop();
    worker.signal("SIGCONT");
    await eventually("it has the answer that waited for it", () =>
      worker
        .output()
        .split("\n")
        .some((line) => line.includes(job.id) && line.includes("job ends")),
    );
    await turn(session, "afterwards");
    expect((await page(session.id)).recaps).toEqual([card]);
    expect(await jobOf(job.id)).toMatchObject({ state: "done", attempt: 2 });
  });

  test("cancelled: none, and the worker leaves the model", async () => {
    const session = await begin();
    const held = model.hold();
    const { job } = (await ask(session.id)).body;
    await held.begun;
    expect((await d.request("POST", `/api/jobs/${job.id}/cancel`, {})).status).toBe(200);
    await within("the worker leaves", held.left, 5_000);
    expect(await jobOf(job.id)).toMatchObject({ state: "cancelled" });
    expect((await page(session.id)).recaps).toEqual([]);
    model.say(BULLETS);
    expect(await recap(session.id)).toMatchObject({ state: "done" });
  });

  test("B-9 delete-during-job: none, and nothing is made anew", async () => {
    const session = await begin();
    const held = model.hold();
    const { job } = (await ask(session.id)).body;
    await held.begun;
    expect((await d.request("DELETE", `/api/sessions/${session.id}`)).status).toBe(204);
    await within("the worker leaves", held.left, 5_000);
    held.go(BULLETS);
    expect((await d.request("GET", `/api/jobs/${job.id}`)).status).toBe(404);
    expect((await d.request("POST", "/api/sessions", { id: session.id })).status).toBe(201);
    expect((await page(session.id)).recaps).toEqual([]);
  });
});

describe("the offer", () => {
  const offer = async (id: string, query = "") =>
    (await d.request<{ rounds: number; offered: boolean }>("GET", `/api/sessions/${id}/recap${query}`)).body;

  test("counts complete rounds since the last visit, from ten on; a card is none of them", async () => {
    const session = await begin();
    await d.request("POST", `/api/sessions/${session.id}/read`, {});
    // The conversation goes on in another program while nobody looks.
    const more = async (rows: number, unread: number): Promise<void> => {
      await appendOutside(stateDb(d), session.id, rows);
      await eventually("it is counted", async () => (await get(session.id)).unread_count === unread);
    };
    await more(18, 18);
    expect(await offer(session.id)).toEqual({ rounds: 9, offered: false });
    await recap(session.id);
    expect(await offer(session.id)).toEqual({ rounds: 9, offered: false });
    await more(2, 20);
    expect(await offer(session.id)).toEqual({ rounds: 10, offered: true });
    expect(await offer(session.id, "?unread=4")).toEqual({ rounds: 2, offered: false });
    await d.request("POST", `/api/sessions/${session.id}/read`, {});
    expect(await offer(session.id)).toEqual({ rounds: 0, offered: false });
    expect(await offer(session.id, "?unread=20")).toEqual({ rounds: 10, offered: true });
    expect((await d.request("GET", `/api/sessions/${session.id}/recap?unread=-1`)).status).toBe(400);
  });
});

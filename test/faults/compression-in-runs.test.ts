import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { ContextInfo } from "../../common/contracts/context.ts";
import type { Run } from "../../common/contracts/run.ts";
import type { Session } from "../../common/contracts/session.ts";
import { type Deployment, startDeployment } from "../helpers/deployment.ts";
import { appendOutside, rowsOf } from "../helpers/outside.ts";
import type { TestProcess } from "../helpers/process.ts";
import { type SummaryModel, sayText, startSummaryModel } from "../helpers/summary-model.ts";
import { stateDb } from "../helpers/truth.ts";
import { within } from "../helpers/wait.ts";

/** Compression in the course of runs, in whole deployments (background-jobs 2.2): a window of 4,000 tokens, half of it the threshold. */
let d: Deployment;
let worker: TestProcess;
let model: SummaryModel;

const configure = (more = "compression: {threshold: 0.5}") =>
  writeFile(
    join(d.home, "config.yaml"),
    `model: {provider: custom, default: fake, base_url: "${model.url}", context_length: 4000}\n${more}\n` +
      "auxiliary: {title_generation: {enabled: false}}\n",
  );

beforeAll(async () => {
  model = await startSummaryModel(() => d.model.url);
  d = await startDeployment({ TALARIA_QUEUES: "runs" });
  worker = await d.startWorker();
});
afterAll(async () => {
  model.close();
  await d.close();
});
beforeEach(async () => {
  model.summaries = [];
  model.turns = [];
  model.answer = sayText("- They spoke about the harbour.");
  model.isTooLong = () => false;
  await configure();
});

const LONG = "the harbour and its boats, one after the other, with all their names and colours ".repeat(20);

const turn = async (id: string, input: string): Promise<Run> => {
  const run = await d.startRun(id, input);
  await within("the run ends", d.follow(run.id).ended);
  return d.getRun(run.id);
};
/** A session with so many turns of about 350 tokens, made without any compression. */
const talk = async (turns: number): Promise<Session> => {
  await configure("compression: {enabled: false}");
  const session = await d.createSession();
  for (let n = 0; n < turns; n++)
    await turn(session.id, `Question ${n}: ${LONG} [[fake tokens=5 seed=${n}]]`);
  await configure();
  model.turns = [];
  return session;
};
const contexts = async (id: string) =>
  (await d.request<{ data: ContextInfo[] }>("GET", `/api/sessions/${id}/contexts`)).body.data;
const framesOf = async (run: Run) => {
  const follower = d.follow(run.id);
  await within("the run ends", follower.ended);
  return follower.frames;
};
const eventsOf = async (run: Run) => (await framesOf(run)).map(({ event }) => event);
const textsOf = (n: number): readonly string[] =>
  (model.turns.at(n)?.messages ?? []).map(({ role, content }) => `${role}: ${JSON.stringify(content)}`);

describe("past the threshold", () => {
  test("the history is compressed before the model is called, and stays so in later turns", async () => {
    const session = await talk(7);
    const run = await d.startRun(session.id, "hello [[fake tokens=3]]");
    const events = await eventsOf(run);
    expect(events.filter((event) => event.startsWith("compress"))).toEqual(["compressing", "compressed"]);
    expect(events.indexOf("compressed")).toBeLessThan(events.indexOf("token"));
    expect(model.turns).toHaveLength(1);
    const sent = textsOf(0);
    expect(sent[0]).toContain("They spoke about the harbour");
    // B-24: the message is the last thing that the user says, as it was written.
    expect(sent.at(-1)).toMatch(/^user: .*hello \[\[fake tokens=3\]\]/);
    const [made] = await contexts(session.id);
    expect(made).toMatchObject({ made_by: "run", run_id: run.id, version: 1 });
    const { usage, status } = await d.getRun(run.id);
    expect(status).toBe("completed");
    expect(usage).toMatchObject({ context_length: 4000, threshold_tokens: 2000 });
    expect(usage?.last_prompt_tokens).toBeGreaterThan(0);
    const calls = model.summaries.length;
    await turn(session.id, "and again [[fake tokens=3]]");
    expect(model.summaries).toHaveLength(calls);
    expect(textsOf(1)[0]).toContain("They spoke about the harbour");
    // People see everything.
    expect(await d.messages(session.id)).toHaveLength(18);
  });

  test("below it, and where it is switched off, nothing happens", async () => {
    const session = await talk(2);
    expect(await eventsOf(await d.startRun(session.id, "hello [[fake tokens=3]]"))).not.toContain(
      "compressing",
    );
    const long = await talk(7);
    await configure("compression: {enabled: false}");
    const run = await d.startRun(long.id, "hello [[fake tokens=3]]");
    expect(await eventsOf(run)).not.toContain("compressing");
    expect((await d.getRun(run.id)).usage?.threshold_tokens).toBeUndefined();
    expect(model.summaries).toEqual([]);
  });

  test("B-26 summary-model-fails: the turn goes on with the full context, and says why", async () => {
    const session = await talk(7);
    model.answer = (response) => void response.writeHead(500).end("no");
    const run = await d.startRun(session.id, "hello [[fake tokens=3]]");
    const frames = await framesOf(run);
    expect(frames.find(({ event }) => event === "warning")?.data).toMatchObject({
      type: "compression_failed",
    });
    expect((await d.getRun(run.id)).status).toBe("completed");
    expect(textsOf(0)).toHaveLength(15);
    expect(await contexts(session.id)).toEqual([]);
  });

  test("B-30 context-changed-during-auto-compress: nothing of another writer is lost", async () => {
    const session = await talk(7);
    const held = model.hold();
    const run = await d.startRun(session.id, "hello [[fake tokens=3]]");
    await held.begun;
    const ids = await appendOutside(stateDb(d), session.id, 2);
    held.go("- the older part");
    await eventsOf(run);
    expect((await d.getRun(run.id)).status).toBe("completed");
    const rows = rowsOf(stateDb(d), session.id).filter(({ id }) => ids.includes(id));
    expect(rows).toHaveLength(2);
    await turn(session.id, "next [[fake tokens=3]]");
    const sent = textsOf(-1);
    expect(sent[0]).toContain("the older part");
    for (const { content } of rows)
      expect(sent.some((line) => line.includes(JSON.stringify(content).slice(1, -1)))).toBe(true);
    const shown = await d.messages(session.id);
    for (const { content } of rows) expect(shown.some((message) => message.content === content)).toBe(true);
  });

  test("a stop while it is compressed is a stop: nothing is applied", async () => {
    const session = await talk(7);
    const held = model.hold();
    const run = await d.startRun(session.id, "hello [[fake tokens=3]]");
    await held.begun;
    await d.request("POST", `/api/runs/${run.id}/cancel`, {});
    await held.left;
    await eventsOf(run);
    expect((await d.getRun(run.id)).status).toBe("cancelled");
    expect(await contexts(session.id)).toEqual([]);
  });
});

describe("when the provider says that it is too long", () => {
  test("the history is compressed and the call is made again", async () => {
    const session = await talk(5);
    const whole = JSON.stringify(await d.messages(session.id)).length;
    model.isTooLong = ({ characters }) => characters > whole / 2;
    await configure("compression: {enabled: false}");
    const run = await d.startRun(session.id, "hello [[fake tokens=3]]");
    const events = await eventsOf(run);
    expect(events.filter((event) => event.startsWith("compress"))).toEqual(["compressing", "compressed"]);
    expect((await d.getRun(run.id)).status).toBe("completed");
    expect(model.turns).toHaveLength(2);
    expect(textsOf(1).at(-1)).toContain("hello");
  });

  test('B-29 exhausted-click-twice: the turn ends so; two tabs open the same new session; a bare "continue" is answered with it', async () => {
    const session = await talk(3);
    model.isTooLong = () => true;
    const run = await d.startRun(session.id, "hello [[fake tokens=3]]");
    await eventsOf(run);
    expect(await d.getRun(run.id)).toMatchObject({
      status: "failed",
      error: { code: "compression_exhausted" },
    });
    // The calls of one turn are bounded.
    expect(model.turns.length).toBeLessThanOrEqual(3);
    for (const input of ["continue", " Continue. ", "weiter!"]) {
      const answer = await d.request<{ error: { code: string; details: { continue_url: string } } }>(
        ...(["POST", `/api/sessions/${session.id}/runs`, { input }] as const),
      );
      expect(answer).toMatchObject({ status: 409, body: { error: { code: "compression_exhausted" } } });
      expect(answer.body.error.details.continue_url).toBe(`/api/sessions/${session.id}/continue`);
    }
    const go = () => d.request<{ session: Session }>("POST", `/api/sessions/${session.id}/continue`, {});
    const [one, two] = await Promise.all([go(), go()]);
    expect([one.status, two.status]).toEqual([200, 200]);
    expect(one.body.session.id).toBe(two.body.session.id);
    expect(one.body.session).toMatchObject({
      profile: session.profile,
      model: session.model,
      message_count: 0,
    });
    model.isTooLong = () => false;
    // A substantive message is allowed, in either.
    expect((await turn(session.id, "Summarise only the last point [[fake tokens=3]]")).status).toBe(
      "completed",
    );
    expect((await turn(one.body.session.id, "continue")).status).toBe("completed");
    // It is no exhausted session any more.
    expect((await turn(session.id, "continue")).status).toBe("completed");
  });
});

describe("after a crash", () => {
  test("killed in the summary's call: the next attempt does it, once", async () => {
    const session = await talk(7);
    const held = model.hold();
    const run = await d.startRun(session.id, "hello [[fake tokens=3]]");
    await held.begun;
    await worker.kill();
    model.answer = sayText("- by another worker");
    worker = await d.startWorker();
    const events = await eventsOf(run);
    expect(events.filter((event) => event === "compressed")).toHaveLength(1);
    expect(await d.getRun(run.id)).toMatchObject({ status: "completed", attempt: 2 });
    expect(await contexts(session.id)).toHaveLength(1);
    expect(textsOf(-1)[0]).toContain("by another worker");
  });

  test("killed after it, before the answer: the next attempt starts from the same context and says it once", async () => {
    const session = await talk(7);
    const run = await d.startRun(session.id, "hello [[fake tokens=30 rate=10]]");
    const follower = d.follow(run.id);
    await within(
      "text comes",
      follower.until((frame) => frame.event === "token"),
    );
    const calls = model.summaries.length;
    await worker.kill();
    worker = await d.startWorker();
    const events = await eventsOf(run);
    expect(events.filter((event) => event === "compressed")).toHaveLength(1);
    expect(await d.getRun(run.id)).toMatchObject({ status: "completed", attempt: 2 });
    expect(await contexts(session.id)).toHaveLength(1);
    expect(model.summaries).toHaveLength(calls);
    expect(model.turns).toHaveLength(2);
    expect(model.turns[1]?.messages).toEqual(model.turns[0]?.messages);
  });

  test("killed at the commit, just before or just after it: one version, told once", async () => {
    const session = await talk(7);
    const held = model.hold();
    const run = await d.startRun(session.id, "hello [[fake tokens=3]]");
    await held.begun;
    held.go("- once");
    await held.left;
    await worker.kill();
    worker = await d.startWorker();
    const events = await eventsOf(run);
    expect(events.filter((event) => event === "compressed")).toHaveLength(1);
    expect((await d.getRun(run.id)).status).toBe("completed");
    expect(await contexts(session.id)).toHaveLength(1);
    expect(textsOf(-1)[0]).toContain("once");
  });
});

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type {
  CompressPreview,
  ContextAnswer,
  ContextInfo,
  CoveredList,
} from "../../common/contracts/context.ts";
import type { Job } from "../../common/contracts/job.ts";
import type { Run } from "../../common/contracts/run.ts";
import type { Session } from "../../common/contracts/session.ts";
import { type Deployment, startDeployment } from "../helpers/deployment.ts";
import { appendOutside, rowsOf, startOutside } from "../helpers/outside.ts";
import type { TestProcess } from "../helpers/process.ts";
import { followSession, type SessionFollower } from "../helpers/session-follower.ts";
import { type SummaryModel, sayText, startSummaryModel } from "../helpers/summary-model.ts";
import { stateDb } from "../helpers/truth.ts";
import { eventually, within } from "../helpers/wait.ts";

/** Compression on request in whole deployments, with a model that does what the test says (background-jobs 2.1). */
let d: Deployment;
let worker: TestProcess;
let model: SummaryModel;
const followers: SessionFollower[] = [];

const configOf = (url: string): string =>
  `model: {provider: custom, default: fake, base_url: "${url}"}\nauxiliary: {title_generation: {enabled: false}}\n`;

beforeAll(async () => {
  model = await startSummaryModel(() => d.model.url);
  d = await startDeployment({ TALARIA_QUEUES: "runs,compression" });
  await writeFile(join(d.home, "config.yaml"), configOf(model.url));
  worker = await d.startWorker();
});
afterAll(async () => {
  for (const follower of followers) follower.close();
  model.close();
  await d.close();
});
beforeEach(() => {
  model.summaries = [];
  model.turns = [];
  model.answer = sayText("- They spoke about the harbour.");
});

const LONG = "the harbour and its boats, one after the other, with all their names and colours ".repeat(20);

const turn = async (id: string, input: string): Promise<Run> => {
  const run = await d.startRun(id, input);
  await within("the run ends", d.follow(run.id).ended);
  return d.getRun(run.id);
};
/** A session with so many turns of about 400 tokens. */
const talk = async (turns = 4, profile = "default") => {
  const { session } = (await d.request<{ session: Session }>("POST", "/api/sessions", { profile })).body;
  const events = await followSession(() => d.url(), session.id);
  followers.push(events);
  for (let n = 0; n < turns; n++)
    await turn(session.id, `Question ${n}: ${LONG} [[fake tokens=5 seed=${n}]]`);
  return { session, events };
};
const compress = (id: string, body: unknown = {}) =>
  d.request<{ job: Job; error: { code: string; details: Record<string, unknown> } }>(
    "POST",
    `/api/sessions/${id}/compress`,
    body,
  );
const preview = async (id: string) =>
  (await d.request<CompressPreview>("POST", `/api/sessions/${id}/compress/preview`, {})).body;
const contexts = async (id: string) =>
  (await d.request<{ data: ContextInfo[] }>("GET", `/api/sessions/${id}/contexts`)).body.data;
const context = async (id: string, version: number) =>
  (await d.request<ContextAnswer>("GET", `/api/sessions/${id}/contexts/${version}`)).body.context;
const isEnd = ({ event, data }: { event: string; data: Record<string, unknown> }): boolean =>
  event === "job" && (data.job as Job).ended_at !== null;
const ended = async (events: SessionFollower): Promise<Job> =>
  (await within("the job ends", events.until(isEnd))).data.job as Job;
const jobOf = async (id: string) => (await d.request<{ job: Job }>("GET", `/api/jobs/${id}`)).body.job;
const progressIs = (events: SessionFollower, stage: string) =>
  within(
    `the stage ${stage}`,
    events.until(({ event, data }) => event === "job" && (data.job as Job).progress?.stage === stage),
  );
/** What the next turn's model call was sent, and how it began. */
const nextPrompt = async (id: string, input = "hello") => {
  model.turns = [];
  await turn(id, `${input} [[fake tokens=2]]`);
  return model.turns[0];
};
const textsOf = (asked: Awaited<ReturnType<typeof nextPrompt>>): readonly string[] =>
  (asked?.messages ?? []).map(({ role, content }) => `${role}: ${JSON.stringify(content)}`);

describe("compression on request", () => {
  test("summarises what is older, keeps the newest, and shows what it did", async () => {
    const { session, events } = await talk();
    const before = await d.messages(session.id);
    const plan = await preview(session.id);
    expect(plan).toMatchObject({ messages: 8, summarised: 6, kept: 2, parts: 1, context_length: 128_000 });
    expect(plan.tokens_after).toBeLessThan(plan.tokens_before);
    const { status, body } = await compress(session.id, { focus: "the red boats" });
    expect(status).toBe(202);
    expect(body.job).toMatchObject({ kind: "compression", id: `compression-${session.id}-0` });
    const job = await ended(events);
    expect(job).toMatchObject({ state: "done", attempt: 1, reason: null });
    expect(job.result).toMatchObject({ version: 1, tokens_before: plan.tokens_before, covered_count: 6 });
    expect(model.summaries).toHaveLength(1);
    expect(model.summaries[0]?.system).toContain("the red boats");
    expect(model.summaries[0]?.user).not.toContain("Question 3");
    // People see the conversation as before.
    expect(await d.messages(session.id)).toEqual(before);
    const [info] = await contexts(session.id);
    expect(info).toMatchObject({ version: 1, made_by: "person", focus: "the red boats", covered_count: 6 });
    expect(info?.border_message_id).toBe(before[6]?.id);
    expect(await context(session.id, 1)).toMatchObject({
      summary: "- They spoke about the harbour.",
      in_use: true,
    });
    const sent = textsOf(await nextPrompt(session.id));
    expect(sent).toHaveLength(5);
    expect(sent[0]).toContain("They spoke about the harbour");
    expect(sent.at(-1)).toMatch(/^user: .*hello/);
    expect(sent[2]).toContain("Question 3");
  });

  test("B-26: what a summary stands for stays readable, page by page", async () => {
    const { session, events } = await talk();
    const before = await d.messages(session.id);
    await compress(session.id);
    await ended(events);
    const path = `/api/sessions/${session.id}/contexts/1/messages?limit=4`;
    const first = (await d.request<CoveredList>("GET", path)).body;
    const rest = (await d.request<CoveredList>("GET", `${path}&cursor=${first.next_cursor}`)).body;
    expect([...first.data, ...rest.data].map(({ content }) => content)).toEqual(
      before.slice(0, 6).map(({ content }) => content),
    );
    expect(rest.next_cursor).toBeNull();
    expect((await d.request("GET", `/api/sessions/${session.id}/contexts/9`)).status).toBe(404);
  });

  test("is refused while a turn is active, for fewer than four messages, and for a focus that is too long", async () => {
    const { session } = await talk(1);
    expect(await compress(session.id)).toMatchObject({
      status: 422,
      body: { error: { code: "nothing_to_compress" } },
    });
    expect((await compress(session.id, { focus: "f".repeat(501) })).status).toBe(400);
    await turn(session.id, "two [[fake tokens=2]]");
    const run = await d.startRun(session.id, "slow [[fake tokens=50 rate=5]]");
    const refused = await compress(session.id);
    expect(refused).toMatchObject({ status: 409, body: { error: { code: "session_busy" } } });
    expect(refused.body.error.details).toEqual({ active_run_id: run.id });
    await d.request("POST", `/api/runs/${run.id}/cancel`, {});
    await within("the run ends", d.follow(run.id).ended);
    expect((await compress("ses_none")).status).toBe(404);
  });

  test("B-19 double-compress: two tabs at once are one job, one call, one result", async () => {
    const { session, events } = await talk();
    const held = model.hold();
    const [one, two] = await Promise.all([compress(session.id), compress(session.id, { focus: "other" })]);
    expect([one.status, two.status]).toEqual([202, 202]);
    expect(one.body.job.id).toBe(two.body.job.id);
    await held.begun;
    expect((await compress(session.id)).body.job).toMatchObject({ id: one.body.job.id, state: "running" });
    held.go("- once");
    expect(await ended(events)).toMatchObject({ state: "done" });
    expect(model.summaries).toHaveLength(1);
    expect(await contexts(session.id)).toHaveLength(1);
  });

  test("starting again after it finished is a new one, over the first", async () => {
    const { session, events } = await talk();
    await compress(session.id);
    await ended(events);
    for (let n = 4; n < 7; n++) await turn(session.id, `Question ${n}: ${LONG} [[fake tokens=5]]`);
    model.answer = sayText("- Everything so far.");
    const { body } = await compress(session.id);
    expect(body.job.id).toBe(`compression-${session.id}-1`);
    await within(
      "the second ends",
      events.until((e) => isEnd(e) && (e.data.job as Job).id === body.job.id),
    );
    expect(model.summaries[1]?.user).toContain("They spoke about the harbour.");
    const list = await contexts(session.id);
    expect(list.map(({ version }) => version)).toEqual([2, 1]);
    expect(list[0]?.covered_count).toBeGreaterThan(list[1]?.covered_count ?? 99);
    const sent = textsOf(await nextPrompt(session.id));
    expect(sent[0]).toContain("Everything so far");
    expect(sent.join()).not.toContain("They spoke about");
  });

  test("B-20 message-during-compress: the turn wins, with the uncompressed context; nothing is applied", async () => {
    const { session, events } = await talk();
    const held = model.hold();
    const { body } = await compress(session.id);
    await held.begun;
    const sent = textsOf(await nextPrompt(session.id, "what now"));
    expect(sent).toHaveLength(9);
    held.go("- too late");
    expect(await ended(events)).toMatchObject({
      ...{ id: body.job.id, state: "cancelled", reason: "context_changed" },
    });
    expect(await contexts(session.id)).toEqual([]);
    expect(textsOf(await nextPrompt(session.id))).toHaveLength(11);
  });

  test("B-20: an undo meanwhile wins, too", async () => {
    const { session, events } = await talk();
    const held = model.hold();
    await compress(session.id);
    await held.begun;
    expect((await d.request("POST", `/api/sessions/${session.id}/undo`, { turns: 3 })).status).toBe(200);
    held.go("- too late");
    expect(await ended(events)).toMatchObject({ state: "cancelled", reason: "context_changed" });
    expect(await contexts(session.id)).toEqual([]);
  });

  test("B-21 cancel-compress: final at once, the model is not waited for, the context is as before; afterwards refused", async () => {
    const { session, events } = await talk();
    const before = textsOf(await nextPrompt(session.id, "before"));
    const held = model.hold();
    const { body } = await compress(session.id);
    await held.begun;
    const begun = performance.now();
    const cancel = () => d.request<{ job: Job }>("POST", `/api/jobs/${body.job.id}/cancel`, {});
    expect((await cancel()).body.job).toMatchObject({ state: "cancelled", reason: "by_person" });
    await held.left;
    expect(performance.now() - begun).toBeLessThan(2_000);
    await ended(events);
    // The composer is usable, and the prompt is what it would have been.
    const after = textsOf(await nextPrompt(session.id, "after"));
    expect(after.slice(0, before.length - 1)).toEqual(before.slice(0, -1));
    expect(await contexts(session.id)).toEqual([]);
    // The same work begins anew when it is asked for; once it is applied there is nothing to cancel.
    model.answer = sayText("- done");
    const again = (await compress(session.id)).body.job;
    await eventually("it is done", async () => (await jobOf(again.id)).state === "done");
    expect((await d.request("POST", `/api/jobs/${again.id}/cancel`, {})).status).toBe(409);
  });

  test("B-22 open-tab-mid-compress: a tab that comes later sees how far it is, then the result", async () => {
    const { session, events } = await talk(4);
    const held = model.hold();
    await compress(session.id);
    await held.begun;
    await progressIs(events, "summarising");
    const late = await followSession(() => d.url(), session.id);
    followers.push(late);
    const jobs = (await d.request<{ data: Job[] }>("GET", `/api/sessions/${session.id}/jobs`)).body.data;
    expect(jobs[0]).toMatchObject({ state: "running", progress: { stage: "summarising", done: 0, of: 1 } });
    held.go("- done");
    expect(await ended(late)).toMatchObject({ state: "done" });
    const stages = events.frames.flatMap(({ event, data }) =>
      event === "job" ? [(data.job as Job).progress?.stage ?? (data.job as Job).state] : [],
    );
    expect(stages.filter((stage, n) => stage !== stages[n - 1]).slice(-3)).toEqual([
      ...["summarising", "committing", "done"],
    ]);
  });

  test("B-26 summary-model-fails: the job fails with a reason, the context is whole; a retry does it", async () => {
    const { session, events } = await talk();
    model.answer = (response) => void response.writeHead(500).end("no");
    const { body } = await compress(session.id);
    expect(await ended(events)).toMatchObject({ state: "failed", reason: "provider_unavailable" });
    expect(await contexts(session.id)).toEqual([]);
    expect(textsOf(await nextPrompt(session.id))).toHaveLength(9);
    model.answer = sayText("- now");
    expect((await d.request("POST", `/api/jobs/${body.job.id}/retry`, {})).status).toBe(202);
    await eventually("it is done", async () => (await jobOf(body.job.id)).state === "done");
    // No copy of the conversation is listed beside it.
    const { data } = (await d.request<{ data: Session[] }>("GET", "/api/sessions?limit=200")).body;
    expect(
      data.filter(({ id, forked_from }) => forked_from === session.id || id === session.id),
    ).toHaveLength(1);
  });

  test("a summary that is no shorter changes nothing, and says so", async () => {
    const { session, events } = await talk();
    model.answer = sayText(LONG.repeat(30).slice(0, 20_000));
    await compress(session.id);
    expect(await ended(events)).toMatchObject({ state: "skipped", reason: "no_gain" });
    expect(await contexts(session.id)).toEqual([]);
  });

  test("B-27 profile-survives-compression: the summary and the next turn are the profile's, under its key; the id stays", async () => {
    const home = join(d.home, "profiles", "harbour");
    await mkdir(home, { recursive: true });
    await writeFile(join(home, "config.yaml"), configOf(model.url));
    await writeFile(join(home, ".env"), "OPENAI_API_KEY=key-of-the-harbour\n");
    await writeFile(join(home, "SOUL.md"), "You are the harbour master.\n");
    const { session, events } = await talk(4, "harbour");
    await compress(session.id);
    expect(await ended(events)).toMatchObject({ state: "done", profile: "harbour" });
    expect(model.summaries[0]?.key).toBe("Bearer key-of-the-harbour");
    const asked = await nextPrompt(session.id);
    expect(asked?.key).toBe("Bearer key-of-the-harbour");
    expect(textsOf(asked)[0]).toContain("You are the harbour master");
    expect(textsOf(asked)[1]).toContain("They spoke about the harbour");
  });

  test("B-27 reload-during-rotation: nothing rotates: the id that a phone has shows the conversation all along", async () => {
    const { session, events } = await talk();
    const before = await d.messages(session.id);
    const held = model.hold();
    await compress(session.id);
    await held.begun;
    expect(await d.messages(session.id)).toEqual(before);
    held.go("- done");
    await ended(events);
    expect(await d.messages(session.id)).toEqual(before);
    expect(
      (await d.request<{ session: Session }>("GET", `/api/sessions/${session.id}`)).body.session.profile,
    ).toBe("default");
  });

  test("what another program appends meanwhile is sent with the next message", async () => {
    const { session, events } = await talk();
    const held = model.hold();
    await compress(session.id);
    await held.begun;
    const ids = await appendOutside(stateDb(d), session.id, 2);
    held.go("- the older part");
    expect(await ended(events)).toMatchObject({ state: "done" });
    const sent = textsOf(await nextPrompt(session.id));
    expect(sent[0]).toContain("the older part");
    const rows = rowsOf(stateDb(d), session.id).filter(({ id }) => ids.includes(id));
    expect(rows).toHaveLength(2);
    for (const { role, content } of rows)
      expect(
        sent.some((line) => line.startsWith(role) && line.includes(JSON.stringify(content).slice(1, -1))),
      ).toBe(true);
  });

  test("B-30: what another program rewrites meanwhile is not what was summarised: nothing is applied", async () => {
    const { session, events } = await talk();
    const held = model.hold();
    await compress(session.id);
    await held.begun;
    await startOutside(stateDb(d), "--compact", session.id, "2").ended;
    held.go("- of what was there");
    expect(await ended(events)).toMatchObject({ state: "cancelled", reason: "context_changed" });
    expect(await contexts(session.id)).toEqual([]);
  });

  test("a compaction by another program comes after ours: its context is the model's, the transcript is whole", async () => {
    const { session, events } = await talk();
    const before = await d.messages(session.id);
    await compress(session.id);
    await ended(events);
    await startOutside(stateDb(d), "--compact", session.id, "2").ended;
    const sent = textsOf(await nextPrompt(session.id));
    expect(sent.join()).not.toContain("They spoke about the harbour");
    expect(await context(session.id, 1)).toMatchObject({ in_use: false });
    const now = await d.messages(session.id);
    expect(now.slice(0, 8).map(({ content }) => content)).toEqual(before.map(({ content }) => content));
  });
});

describe("after a crash", () => {
  test("killed in the model call: another worker does it, once", async () => {
    const { session } = await talk();
    const held = model.hold();
    const { body } = await compress(session.id);
    await held.begun;
    await worker.kill();
    expect(await contexts(session.id)).toEqual([]);
    model.answer = sayText("- by another worker");
    worker = await d.startWorker();
    await eventually("it is done", async () => (await jobOf(body.job.id)).state === "done", 30_000);
    expect(await jobOf(body.job.id)).toMatchObject({ attempt: 2 });
    expect(await contexts(session.id)).toHaveLength(1);
  });

  test("killed at the commit, just before or just after it: one version, and it is told", async () => {
    const { session, events } = await talk();
    const { body } = await compress(session.id);
    await progressIs(events, "committing");
    await worker.kill();
    worker = await d.startWorker();
    await eventually("it is done", async () => (await jobOf(body.job.id)).state === "done", 30_000);
    const all = await contexts(session.id);
    expect(all).toHaveLength(1);
    expect((await jobOf(body.job.id)).result?.version).toBe(all[0]?.version);
    await ended(events);
  });

  test("B-25 compress-survives-restart: every process restarts, and the prompt is the compressed one", async () => {
    const { session, events } = await talk();
    const whole = (await nextPrompt(session.id, "whole"))?.characters ?? 0;
    await compress(session.id);
    await ended(events);
    await worker.kill();
    await d.api.kill();
    await d.redis.kill();
    await d.restartRedis();
    await d.startApi();
    worker = await d.startWorker();
    const asked = await nextPrompt(session.id, "again");
    expect(textsOf(asked)[0]).toContain("They spoke about the harbour");
    expect(asked?.characters).toBeLessThan(whole / 2);
    // And once more, from what is in state.db.
    expect((await nextPrompt(session.id, "and again"))?.characters).toBeLessThan(whole / 2);
  });
});

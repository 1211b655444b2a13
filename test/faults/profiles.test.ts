import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import type { Run } from "../../common/contracts/run.ts";
import type { Session } from "../../common/contracts/session.ts";
import { type Deployment, startDeployment } from "../helpers/deployment.ts";
import type { TestProcess } from "../helpers/process.ts";
import { type RecordedModel, startRecordedModel } from "../helpers/recorded-model.ts";
import { commandPrompt } from "../helpers/whole.ts";

/** Profiles in whole deployments: what the model server is asked, and with which key. */
let d: Deployment;
let worker: TestProcess;
let front: RecordedModel;

beforeAll(async () => {
  d = await startDeployment({ LOG_LEVEL: "debug" });
  front = await startRecordedModel(d.model);
  // The server has a key of its own; no profile ever gets it.
  worker = await d.startWorker({ OPENAI_API_KEY: "key-of-the-server", TALARIA_SECRET: "of-the-server" });
});
afterAll(async () => {
  await front.close();
  await d.close();
});
beforeEach(() => front.forget());

const keysAsked = (): readonly (string | undefined)[] =>
  front.asked.map(({ authorization }) => authorization);
const profile = async (name: string, config: (url: string) => string): Promise<string> => {
  const folder = join(d.home, "profiles", name);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "config.yaml"), config(front.url));
  return folder;
};
const custom = (url: string): string => `model: {provider: custom, default: fake, base_url: "${url}"}\n`;
const setKey = (name: string, value: string) =>
  d.request("POST", `/api/profiles/${name}/keys`, { name: "OPENAI_API_KEY", value });
const sessionOf = async (name: string): Promise<Session> =>
  (await d.request<{ session: Session }>("POST", "/api/sessions", { profile: name })).body.session;
const ended = async (run: Run): Promise<Run> => {
  await d.follow(run.id).ended;
  return d.getRun(run.id);
};

test("P-19 key-rotated-during-run: a run keeps the key it began with, the next one has the new one", async () => {
  await profile("rotating", custom);
  await setKey("rotating", "key-number-one");
  const session = await sessionOf("rotating");
  const run = await d.startRun(session.id, commandPrompt("sleep 1.5; echo done", "tokens=3"));
  const follower = d.follow(run.id);
  await follower.until((frame) => frame.event === "tool");
  expect((await setKey("rotating", "key-number-two")).status).toBe(200);
  await follower.ended;
  expect(keysAsked()).toEqual(["Bearer key-number-one", "Bearer key-number-one"]);
  const next = await ended(await d.startRun(session.id, "hello"));
  expect(keysAsked().at(-1)).toBe("Bearer key-number-two");
  expect([(await d.getRun(run.id)).status, next.status]).toEqual(["completed", "completed"]);
  expect(next.config_revision).not.toBe((await d.getRun(run.id)).config_revision);
  expect(worker.output()).not.toContain("key-number");
});

test("P-2 profile-cannot-set-path: a run's tool sees the server's PATH, no NODE_OPTIONS, and the server is as before", async () => {
  const folder = await profile("bold", custom);
  const evil = ["PATH=/evil", "NODE_OPTIONS=--require=/evil.js", "REDIS_URL=redis://127.0.0.1:1"];
  await writeFile(
    join(folder, ".env"),
    [...evil, "TALARIA_HOME=/evil", "TALARIA_MAX_STEPS=1", "HOME=/evil", "MINE=1"].join("\n"),
  );
  const session = await sessionOf("bold");
  const command = 'echo "$PATH|$NODE_OPTIONS|$REDIS_URL|$TALARIA_HOME|$HOME|$MINE"; node -p "6*7"';
  const run = await d.startRun(session.id, commandPrompt(command, "rounds=2 tokens=3"));
  const follower = d.follow(run.id);
  await follower.ended;
  const results = follower.frames.filter(({ event }) => event === "tool_complete");
  const { PATH, HOME } = process.env;
  expect(results.map(({ data }) => data.preview)).toEqual(
    Array(2).fill(expect.stringContaining(`${PATH}||||${HOME}|1\n42`)),
  );
  // Neither its limit of steps nor its Redis has changed.
  expect((await d.getRun(run.id)).status).toBe("completed");
  expect((await ended(await d.startRun(session.id, "hello"))).status).toBe("completed");
});

test("P-21 completion-owner: of commands of two sessions at the same time each session gets its own, 100 of 100", async () => {
  for (const name of ["left", "right"]) await profile(name, custom);
  const command = 'echo "$TALARIA_PROFILE $TALARIA_SESSION_ID $TALARIA_RUN_ID"';
  const both = await Promise.all(
    ["left", "right"].map(async (name) => {
      const session = await sessionOf(name);
      const run = await d.startRun(session.id, commandPrompt(command, "rounds=25 parallel=2 tokens=1"));
      const follower = d.follow(run.id);
      await follower.ended;
      const told = follower.frames.filter(({ event }) => event === "tool_complete");
      return { told, own: `${name} ${session.id} ${run.id}` };
    }),
  );
  for (const { told, own } of both) {
    expect(told).toHaveLength(50);
    for (const { data } of told) expect(data.preview).toContain(own);
  }
});

test("P-6 unreadable-env: the run fails before any request and names the profile; mended, the next one works", async () => {
  const folder = await profile("closed", custom);
  await mkdir(join(folder, ".env"));
  const session = await sessionOf("closed");
  const run = await ended(await d.startRun(session.id, "hello"));
  expect(run).toMatchObject({
    status: "failed",
    error: { code: "profile_unavailable" },
    config_revision: null,
  });
  expect(run.error?.message).toContain('.env of profile "closed"');
  expect(front.asked).toEqual([]);
  await rm(join(folder, ".env"), { recursive: true });
  await setKey("closed", "key-of-closed");
  const next = await ended(await d.startRun(session.id, "hello"));
  expect(next.status).toBe("completed");
  expect(keysAsked()).toEqual(["Bearer key-of-closed"]);
});

test("P-15, P-23 template-does-not-reach-server: what only the server has is empty, and no key of it is sent", async () => {
  await profile("poor", custom);
  const without = await ended(await d.startRun((await sessionOf("poor")).id, "hello"));
  expect(without.status).toBe("completed");
  expect(keysAsked()).toEqual([undefined]);
  await profile(
    "template",
    () => `model: {provider: custom, default: fake, base_url: "\${TALARIA_SECRET}"}\n`,
  );
  const run = await ended(await d.startRun((await sessionOf("template")).id, "hello"));
  expect(run.status).toBe("failed");
  await profile("keyless", () => "model: {provider: openai, default: fake}\n");
  const missing = await ended(await d.startRun((await sessionOf("keyless")).id, "hello"));
  expect(missing).toMatchObject({ status: "failed", error: { code: "auth_mismatch" } });
  expect(JSON.stringify(front.asked)).not.toContain("of-the-server");
});

test("persona, memories and skills of the profile, and of no other, reach the model", async () => {
  const folder = await profile("iris", custom);
  await writeFile(join(d.home, "SOUL.md"), "ROOT PERSONA");
  await d.request("PATCH", "/api/profiles/iris", { instructions: "You are Iris." });
  await mkdir(join(folder, "memories"));
  await writeFile(join(folder, "memories", "MEMORY.md"), "The sky is green.");
  await mkdir(join(folder, "skills", "paint"), { recursive: true });
  await writeFile(
    join(folder, "skills", "paint", "SKILL.md"),
    "---\nname: paint\ndescription: Paints walls\n---\n",
  );
  const run = await ended(await d.startRun((await sessionOf("iris")).id, "hello"));
  expect(run.status).toBe("completed");
  const { messages } = JSON.parse(front.asked[0]?.body ?? "{}") as {
    messages: { role: string; content: string }[];
  };
  expect(messages[0]?.role).toBe("system");
  for (const part of ["You are Iris.", "The sky is green.", "- paint: Paints walls (paint/SKILL.md)"])
    expect(messages[0]?.content).toContain(part);
  expect(front.asked[0]?.body).not.toContain("ROOT PERSONA");
});

test("a profile that was changed between acceptance and claim: the run says which state it ran with", async () => {
  await profile("late", custom);
  const session = await sessionOf("late");
  const first = await d.startRun(session.id, commandPrompt("sleep 3", "tokens=1"));
  await d.follow(first.id).until(({ event }) => event === "run_started");
  const second = await d.startRun(session.id, "hello", { on_busy: "queue" });
  expect(second.config_revision).toBe(first.config_revision);
  await setKey("late", "key-that-came-late");
  const now = (await d.request<{ profile: { config_revision: string } }>("GET", "/api/profiles/late")).body
    .profile;
  const done = await ended(second);
  expect(done).toMatchObject({ status: "completed", config_revision: now.config_revision });
  expect((await d.getRun(first.id)).config_revision).toBe(first.config_revision);
  expect(worker.output()).toContain("the profile changed after the run was accepted");
});

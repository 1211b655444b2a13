import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Redis } from "ioredis";
import { type Deployment, startDeployment } from "../helpers/deployment.ts";
import type { TestProcess } from "../helpers/process.ts";
import { commandPrompt } from "../helpers/whole.ts";

/** security-contract 12, 101, 111: a canary key is in no event, message, log, job or Redis value. */
const CANARY = "canary-7f3a9c51e0d24b68-secret";

let d: Deployment;
let worker: TestProcess;
beforeAll(async () => {
  d = await startDeployment();
  await appendFile(join(d.home, ".env"), `OPENAI_API_KEY=${CANARY}\n`);
  worker = await d.startWorker();
});
afterAll(() => d.close());

test("`env` output with keys is redacted before the journal, the transcript and the logs", async () => {
  const session = await d.createSession();
  const run = await d.startRun(session.id, commandPrompt("echo key=$OPENAI_API_KEY; env", "tokens=3"));
  const follower = d.follow(run.id);
  await follower.ended;
  const result = follower.frames.find((frame) => frame.event === "tool_complete");
  expect(result?.data.preview).toContain("key=[redacted]");

  const everything = `${JSON.stringify(follower.frames)}\n${await everythingKept([session.id])}`;
  expect(everything).toContain("[redacted]");
  expect(everything).not.toContain(CANARY);
  // The model server was asked with the key: it is a real one for this profile.
  expect(d.model.stats().requests).toBe(2);
});

test("P-25 secrets-not-in-redis: 100 runs with a marked key leave it nowhere", async () => {
  const before = d.model.stats().requests;
  const sessions = await Promise.all(
    Array.from({ length: 100 }, async (_, index) => {
      const session = await d.createSession();
      const prompt = index % 10 === 0 ? commandPrompt("env", "tokens=2") : "[[fake tokens=2]]";
      await d.follow((await d.startRun(session.id, prompt)).id).ended;
      return session.id;
    }),
  );
  expect(d.model.stats().requests - before).toBe(110);
  const everything = await everythingKept(sessions);
  expect(everything).toContain("[redacted]");
  expect(everything).not.toContain(CANARY);
});

/** Redis as it is, what both processes have logged, and the sessions' transcripts. */
const everythingKept = async (sessionIds: readonly string[]): Promise<string> => {
  const redis = new Redis(d.redis.url);
  const keys = await redis.keys("*");
  const dumps = await Promise.all(keys.map((key) => redis.dumpBuffer(key)));
  await redis.quit();
  const transcripts = await Promise.all(sessionIds.map((id) => d.messages(id)));
  return [
    JSON.stringify(transcripts),
    worker.output(),
    d.api.output(),
    ...dumps.map((dump) => dump?.toString("latin1") ?? ""),
  ].join("\n");
};

import { appendFile, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import Database from "better-sqlite3";
import { Redis } from "ioredis";
import { type Deployment, startDeployment } from "../helpers/deployment.ts";
import type { TestProcess } from "../helpers/process.ts";
import { eventually } from "../helpers/wait.ts";
import { commandPrompt } from "../helpers/whole.ts";

/** security-contract 12, 101, 111: a canary key is in no event, message, log, job or Redis value. */
const CANARY = "canary-7f3a9c51e0d24b68-secret";

let d: Deployment;
let worker: TestProcess;
beforeAll(async () => {
  // Archives are made by maintenance.
  d = await startDeployment({ TALARIA_QUEUES: "runs,maintenance" });
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
  expect(await everythingKept(sessions)).not.toContain(CANARY);
  const journals = await archives(sessions);
  expect(journals).toContain("[redacted]");
  expect(journals).not.toContain(CANARY);
});

/** Redis as it is, the databases, what both processes have logged, and the sessions' transcripts. */
const everythingKept = async (sessionIds: readonly string[]): Promise<string> => {
  const [transcripts, redis, files] = await Promise.all([
    Promise.all(sessionIds.map((id) => d.messages(id))),
    everythingInRedis(),
    everyFile(d.home),
  ]);
  // They were looked into, each of them.
  for (const place of [JSON.stringify(transcripts), redis, files]) expect(place).toContain("[redacted]");
  return [JSON.stringify(transcripts), redis, files, worker.output(), d.api.output()].join("\n");
};

/** Read type by type: a DUMP is compressed, and a text in it need not be found. */
const everythingInRedis = async (): Promise<string> => {
  const redis = new Redis(d.redis.url);
  const read = async (key: string): Promise<unknown> => {
    switch (await redis.type(key)) {
      case "string":
        return redis.get(key);
      case "hash":
        return redis.hgetall(key);
      case "list":
        return redis.lrange(key, 0, -1);
      case "set":
        return redis.smembers(key);
      case "zset":
        return redis.zrange(key, 0, "-1");
      case "stream":
        return redis.xrange(key, "-", "+");
      case "none":
        return null;
      default:
        throw new Error(`${key} is of a type that this test does not read`);
    }
  };
  try {
    const keys = await redis.keys("*");
    return JSON.stringify(await Promise.all(keys.map(async (key) => [key, await read(key)])));
  } finally {
    await redis.quit();
  }
};

/** The journals of these sessions' runs, one each, uncompressed; they are archived by and by. */
const archives = async (sessionIds: readonly string[]): Promise<string> => {
  const db = new Database(join(d.home, "talaria", "talaria.db"), { readonly: true });
  const all = db
    .prepare("SELECT data FROM journal_archives WHERE session_id IN (SELECT value FROM json_each(?))")
    .pluck();
  try {
    const packed = await eventually(
      "their journals are archived",
      () => {
        const found = all.all(JSON.stringify(sessionIds)) as Buffer[];
        return found.length >= sessionIds.length ? found : undefined;
      },
      45_000,
    );
    return packed.map((data) => zstdDecompressSync(data).toString()).join("\n");
  } finally {
    db.close();
  }
};

/** Every file of the home, databases and their logs included, but the `.env` that has the key. */
const everyFile = async (folder: string): Promise<string> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name !== ".env");
  return (
    await Promise.all(files.map(({ parentPath, name }) => readFile(join(parentPath, name), "latin1")))
  ).join("\n");
};

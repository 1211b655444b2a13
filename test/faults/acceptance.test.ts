import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import Database from "better-sqlite3";
import type { Run } from "../../common/contracts/run.ts";
import { expectedText } from "../../workers/engines/demo/words.ts";
import { type Deployment, startDeployment } from "../helpers/deployment.ts";
import type { TestProcess } from "../helpers/process.ts";
import { eventually } from "../helpers/wait.ts";

/** reliability 1, 10; cancel-approve-steer C-1, C-2, C-4. */
describe("accepting messages", () => {
  let d: Deployment;
  let worker: TestProcess;
  beforeAll(async () => {
    d = await startDeployment();
    worker = await d.startWorker();
  });
  afterAll(() => d.close());

  const post = (sessionId: string, body: unknown, headers = {}) =>
    d.request<{ run: Run; error: { code: string; details: unknown } }>(
      "POST",
      `/api/sessions/${sessionId}/runs`,
      body,
      headers,
    );
  const end = async (run: Run) => {
    const follower = d.follow(run.id);
    await follower.ended;
    return follower;
  };

  test("two-starts-one-run: the other answer is 409 with that run's id, its message is not in the transcript", async () => {
    const session = await d.createSession();
    const answers = await Promise.all([
      post(session.id, { input: "a [[fake tokens=30 rate=60]]" }),
      post(session.id, { input: "b [[fake tokens=30 rate=60]]" }),
    ]);
    const started = answers.find((answer) => answer.status === 202);
    const refused = answers.find((answer) => answer.status === 409);
    expect(refused?.body.error).toMatchObject({
      code: "session_busy",
      details: { active_run_id: started?.body.run.id },
    });
    if (started === undefined) throw new Error("no run was started");
    await end(started.body.run);
    expect((await d.messages(session.id)).filter((message) => message.role === "user")).toHaveLength(1);
  });

  test("busy-queue: queued messages run in order, one at a time, and the model sees the answers before them", async () => {
    const session = await d.createSession();
    const runs: Run[] = [];
    for (const n of [1, 2, 3]) {
      const answer = await post(session.id, {
        input: `message ${n} [[fake tokens=${n * 5} rate=200]]`,
        on_busy: "queue",
      });
      expect(answer.status).toBe(202);
      runs.push(answer.body.run);
    }
    expect(runs.map((run) => run.position)).toEqual([0, 1, 2]);
    await Promise.all(runs.map(end));
    const messages = await d.messages(session.id);
    expect(
      messages.map(
        (message) =>
          `${message.role} ${message.run_id === runs[0]?.id ? 1 : message.run_id === runs[1]?.id ? 2 : 3}`,
      ),
    ).toEqual(["user 1", "assistant 1", "user 2", "assistant 2", "user 3", "assistant 3"]);
    const sent = (d.model.requests().at(-1) as { messages: { content: string }[] }).messages;
    expect(sent.map((message) => message.content)).toEqual([
      expect.stringContaining("message 1"),
      expectedText(5),
      expect.stringContaining("message 2"),
      expectedText(10),
      expect.stringContaining("message 3"),
    ]);
  });

  test("stopping a queued message leaves the run before it alone, and state.db keeps the order of the turns", async () => {
    const session = await d.createSession();
    const first = await d.startRun(session.id, "one [[fake tokens=60 rate=30]]");
    const follower = d.follow(first.id);
    await follower.until((frame) => frame.event === "token");
    const second = await d.startRun(session.id, "two", { on_busy: "queue" });
    expect((await d.request("POST", `/api/runs/${second.id}/cancel`)).status).toBe(202);
    await follower.ended;
    expect(follower.text()).toBe(expectedText(60));
    expect(follower.frames.filter((frame) => frame.event === "run_started")).toHaveLength(1);
    const third = await d.startRun(session.id, "three [[fake tokens=2]]");
    await end(third);
    const rows = await eventually("the prompts are in state.db", () => {
      const db = new Database(`${d.home}/state.db`, { readonly: true });
      try {
        const sql = "select content from messages where session_id = ? and role = 'user' order by id";
        const contents = db
          .prepare<[string], { content: string }>(sql)
          .all(session.id)
          .map((row) => row.content.slice(0, 5).trim());
        return contents.length === 3 ? contents : undefined;
      } finally {
        db.close();
      }
    });
    expect(rows).toEqual(["one [", "two", "three"]);
  });

  test("start-timeout-retry: fifty at once, and after a restart, with one key: one run and one message", async () => {
    const session = await d.createSession();
    const key = { "idempotency-key": "the-same" };
    const body = { input: "[[fake tokens=3]]" };
    const answers = await Promise.all(Array.from({ length: 50 }, () => post(session.id, body, key)));
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([202]));
    const ids = new Set(answers.map((answer) => answer.body.run.id));
    expect(ids.size).toBe(1);
    await d.api.kill();
    await d.startApi();
    expect((await post(session.id, body, key)).body.run.id).toBe([...ids][0]);
    const other = await post(session.id, { input: "something else" }, key);
    expect([other.status, other.body.error.code]).toEqual([422, "idempotency_mismatch"]);
    expect((await d.messages(session.id)).filter((message) => message.role === "user")).toHaveLength(1);
  });

  test("same-prompt-twice: two messages with the same words are two messages", async () => {
    const session = await d.createSession();
    for (let i = 0; i < 2; i++)
      await end((await post(session.id, { input: "continue [[fake tokens=2]]" })).body.run);
    expect((await d.messages(session.id)).map((message) => message.role)).toEqual([
      "user",
      "assistant",
      "user",
      "assistant",
    ]);
  });

  test("interrupt and steer are refused clearly until they exist", async () => {
    const session = await d.createSession();
    for (const on_busy of ["interrupt", "steer"]) {
      const answer = await post(session.id, { input: "x", on_busy });
      expect([answer.status, answer.body.error.code]).toEqual([422, "on_busy_unsupported"]);
    }
  });

  test("kill -9 API in a storm of posts: what was answered 202 exists and ends", async () => {
    const accepted: Run[] = [];
    const sessions = await Promise.all(Array.from({ length: 60 }, () => d.createSession()));
    const storm = sessions.map(async ({ id }) => {
      const answer = await post(id, { input: "[[fake tokens=2]]" }).catch(() => null);
      if (answer?.status === 202) accepted.push(answer.body.run);
      if (accepted.length === 20) void d.api.kill();
    });
    await Promise.all(storm);
    await d.api.exited;
    await d.startApi();
    expect(accepted.length).toBeGreaterThanOrEqual(20);
    for (const run of accepted) expect((await end(run)).text()).toBe(expectedText(2));
  });

  test("all workers dead: the run waits and starts when one comes", async () => {
    await worker.stop();
    const session = await d.createSession();
    const run = await d.startRun(session.id, "[[fake tokens=5]]");
    expect((await d.getRun(run.id)).status).toBe("queued");
    worker = await d.startWorker();
    expect((await end(run)).text()).toBe(expectedText(5));
  });

  test("delete cancels the session's runs and leaves nothing", async () => {
    const session = await d.createSession();
    const run = await d.startRun(session.id, "[[fake tokens=500 rate=50]]");
    const follower = d.follow(run.id);
    await follower.until((frame) => frame.event === "token");
    expect((await d.request("DELETE", `/api/sessions/${session.id}`)).status).toBe(204);
    await worker.says("this attempt stops");
    follower.close();
    for (const path of [`/api/sessions/${session.id}`, `/api/runs/${run.id}`, `/api/runs/${run.id}/events`]) {
      expect((await d.request("GET", path)).status).toBe(404);
    }
    const again = await d.request<{ session: { id: string } }>("POST", "/api/sessions", { id: session.id });
    expect(again.status).toBe(201);
    const fresh = d.follow((await d.startRun(session.id, "[[fake tokens=5]]")).id);
    await fresh.ended;
    expect(fresh.text()).toBe(expectedText(5));
    expect(await d.messages(session.id)).toHaveLength(2);
  });
});

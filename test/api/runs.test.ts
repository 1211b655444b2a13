import { beforeAll, describe, expect, test } from "@jest/globals";
import { runJobId } from "../../common/queues/catalog.ts";
import { postJson, startApi, startRun, type TestApi, withApi } from "../helpers/api-server.ts";
import { reconnected } from "../helpers/house.ts";
import { playRun } from "../helpers/played-run.ts";
import { startRedis } from "../helpers/redis.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});

const json = async (answer: Response): Promise<Record<string, never>> =>
  (await answer.json()) as Record<string, never>;
const newSession = async (): Promise<string> => {
  const { session } = (await json(await postJson(`${api.url}/api/sessions`, {}))) as never as {
    session: { id: string };
  };
  return session.id;
};

describe("starting a run", () => {
  test("answers 202 with the run, its stream and its address, and wakes the dispatcher", async () => {
    const id = await newSession();
    const answer = await postJson(`${api.url}/api/sessions/${id}/runs`, { input: "hello" });
    expect(answer.status).toBe(202);
    const body = (await json(answer)) as never as { run: { id: string; status: string }; events_url: string };
    expect(body.run.status).toBe("queued");
    expect(body.events_url).toBe(`/api/runs/${body.run.id}/events`);
    expect(answer.headers.get("location")).toBe(`/api/runs/${body.run.id}`);
    await api.lifecycle.dispatcher.settled();
    expect(await api.journal.span(id, body.run.id)).toMatchObject({ lastRunSeq: 1, closed: false });
    expect(await api.queue.anyLive("runs", "default", [runJobId(body.run.id, 1)])).toBe(true);
  });

  test("text parts become one text, joined by line ends", async () => {
    const id = await newSession();
    const input = ["a", "b"].map((text) => ({ type: "text", text }));
    expect((await postJson(`${api.url}/api/sessions/${id}/runs`, { input })).status).toBe(202);
    const { data } = (await json(await fetch(`${api.url}/api/sessions/${id}/messages`))) as never as {
      data: { role: string; content: string }[];
    };
    expect(data).toMatchObject([{ role: "user", content: "a\nb" }]);
  });

  test("a busy session answers 409 with the active run", async () => {
    const { sessionId, runId } = await startRun(api);
    const answer = await postJson(`${api.url}/api/sessions/${sessionId}/runs`, { input: "again" });
    expect(answer.status).toBe(409);
    expect(await json(answer)).toMatchObject({
      error: { code: "session_busy", details: { active_run_id: runId } },
    });
    const queued = await postJson(`${api.url}/api/sessions/${sessionId}/runs`, {
      input: "again",
      on_busy: "queue",
    });
    expect(await json(queued)).toMatchObject({ run: { position: 1 } });
  });

  test.each([
    ["on_busy interrupt", { input: "x", on_busy: "interrupt" }, 422, "on_busy_unsupported"],
    ["on_busy steer", { input: "x", on_busy: "steer" }, 422, "on_busy_unsupported"],
    [
      "hostile 18: a key of JavaScript's own where anything goes",
      { input: "x", attachments: [JSON.parse('{"__proto__": {"a": 1}}')] },
      400,
      "invalid_request",
    ],
    ["attachments", { input: "x", attachments: [{}] }, 422, "attachments_unsupported"],
    ["a file part", { input: [{ type: "file", upload_id: "u" }] }, 422, "attachments_unsupported"],
    ["no input", {}, 400, "invalid_request"],
    ["an empty input", { input: "" }, 400, "invalid_request"],
    ["empty parts", { input: [{ type: "text", text: "" }] }, 400, "invalid_request"],
    ["an unknown field", { input: "x", shell: true }, 400, "invalid_request"],
    ["hostile 40: a model that is an object", { input: "x", model: { $gt: "" } }, 400, "invalid_request"],
  ])("%s is refused", async (_name, body, status, code) => {
    const answer = await postJson(`${api.url}/api/sessions/${await newSession()}/runs`, body);
    expect(answer.status).toBe(status);
    expect(await json(answer)).toMatchObject({ error: { code } });
  });

  test("hostile 38: a session that is missing, or cannot be, is 404", async () => {
    for (const id of ["s_missing", "%00", "..%2f", "a:b", "x".repeat(65)]) {
      const answer = await postJson(`${api.url}/api/sessions/${id}/runs`, { input: "x" });
      expect(answer.status).toBe(404);
      expect(await json(answer)).toMatchObject({ error: { code: "session_not_found" } });
    }
  });
});

describe("Idempotency-Key", () => {
  const send = (id: string, key: string, body: unknown) =>
    postJson(`${api.url}/api/sessions/${id}/runs`, body, { "idempotency-key": key });

  test("same key and body is the same run, whatever the order of its fields", async () => {
    const id = await newSession();
    const first = await json(await send(id, "k-1", { input: "x", model: "m" }));
    const second = await send(id, "k-1", { model: "m", input: "x" });
    expect(second.status).toBe(202);
    expect(await json(second)).toEqual(first);
  });

  test("hostile 36: same key, other body is 422", async () => {
    const id = await newSession();
    await send(id, "k-2", { input: "x" });
    const other = await send(id, "k-2", { input: "y" });
    expect(other.status).toBe(422);
    expect(await json(other)).toMatchObject({ error: { code: "idempotency_mismatch" } });
  });

  test.each([
    ["hostile 37: 5 KB", "k".repeat(5000)],
    ["a space", "a b"],
    ["latin-1", "schl\u00fcssel"],
    ["nothing", ""],
  ])("%s is no key", async (_name, key) => {
    expect((await send(await newSession(), key, { input: "x" })).status).toBe(400);
  });
});

describe("reading and stopping", () => {
  test("a run names its newest event, and null while Redis is away", async () => {
    const redis = await startRedis({ appendonly: true });
    await withApi({ redisUrl: redis.url }, async (own) => {
      const run = playRun(own, await startRun(own));
      await run.claim();
      await run.emit("run_started", { model: "m", profile: "default" });
      await run.tokens(1);
      const read = async () => json(await fetch(`${own.url}/api/runs/${run.runId}`));
      expect(await read()).toMatchObject({ run: { last_event_id: `${run.runId}:3`, attempt: 1 } });
      await redis.kill();
      expect(await read()).toMatchObject({ run: { last_event_id: null, attempt: 1 } });
      await startRedis({ appendonly: true, dir: redis.dir, port: redis.port });
      await reconnected(own);
      await run.claim();
      await run.emit("run_started", { model: "m", profile: "default" });
      expect(await read()).toMatchObject({ run: { last_event_id: `${run.runId}:4-2`, attempt: 2 } });
    });
  });

  test("cancel is 202, again 200, and needs no body", async () => {
    const { runId } = await startRun(api);
    const cancel = () => fetch(`${api.url}/api/runs/${runId}/cancel`, { method: "POST" });
    const first = await cancel();
    expect(first.status).toBe(202);
    expect(await json(first)).toMatchObject({ run: { id: runId, status: "cancelled" } });
    expect((await cancel()).status).toBe(200);
  });

  test("hostile 50: an unknown run is 404", async () => {
    const answer = await fetch(`${api.url}/api/runs/r_none/cancel`, { method: "POST" });
    expect(answer.status).toBe(404);
    expect(await json(answer)).toMatchObject({ error: { code: "run_not_found" } });
  });

  test("lists have the common shape", async () => {
    const body = await json(await fetch(`${api.url}/api/runs?limit=5`));
    expect(Object.keys(body).sort()).toEqual(["data", "next_cursor"]);
    for (const query of ["limit=0", "limit=201", "limit=x", "limit=1&limit=2", "nonsense=1", "__proto__=1"])
      expect((await fetch(`${api.url}/api/runs?${query}`)).status).toBe(400);
  });
});

import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import {
  follow,
  newSession,
  postJson,
  startApi,
  startRun,
  startRunIn,
  type TestApi,
  withApi,
} from "../helpers/api-server.ts";
import { logReaches } from "../helpers/house.ts";
import { playRun } from "../helpers/played-run.ts";
import { startRedis } from "../helpers/redis.ts";

let api: TestApi;
const folder = mkdtempSync(join(tmpdir(), "talaria-work-"));
beforeAll(async () => {
  mkdirSync(join(folder, "x"));
  api = await startApi();
});
afterAll(() => rmSync(folder, { recursive: true }));

const create = async (body: unknown) => {
  const answer = await postJson(`${api.url}/api/sessions`, body);
  return { status: answer.status, body: (await answer.json()) as { session: { id: string } } };
};
const change = (id: string, body: unknown) =>
  fetch(`${api.url}/api/sessions/${id}`, {
    method: "PATCH",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

describe("sessions", () => {
  test("are created once per id, and followers are told once", async () => {
    const first = await create({ id: "mine", title: "A" });
    const second = await create({ id: "mine", title: "B" });
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body).toEqual(first.body);
    // What the second call might have told would stand before what this change tells.
    await change("mine", { pinned: true });
    await logReaches(api, "mine", 2);
    const told = (await api.journal.range("mine", 0, 10)).map(({ event, data }) => ({
      event,
      reason: (JSON.parse(data) as { reason: string }).reason,
    }));
    expect(told).toEqual([
      { event: "session_changed", reason: "created" },
      { event: "session_changed", reason: "patched" },
    ]);
    const hints = await api.redis.xrange(api.keys.hints, "-", "+");
    expect(hints.filter(([, fields]) => fields[1]?.includes('"mine"'))).toHaveLength(2);
  });

  test("a POST without a body makes a session with defaults", async () => {
    const answer = await fetch(`${api.url}/api/sessions`, { method: "POST" });
    expect(answer.status).toBe(201);
    expect(await answer.json()).toMatchObject({ session: { profile: "default", title: null } });
  });

  test("an unknown profile is 404, a refused folder 422, an allowed one is kept as checked", async () => {
    expect((await create({ profile: "nobody" })).status).toBe(404);
    for (const workspace of ["/", "/proc", ".."]) expect((await create({ workspace })).status).toBe(422);
    expect((await create({ workspace: `${folder}/x/..` })).body).toMatchObject({
      session: { workspace: realpathSync(folder) },
    });
  });

  test("are read, changed, listed and deleted", async () => {
    const { id } = (await create({})).body.session;
    const patched = await change(id, { title: "<img onerror>", pinned: true });
    expect(await patched.json()).toMatchObject({ session: { title: "<img onerror>", pinned: true } });
    expect(patched.headers.get("content-type")).toMatch(/^application\/json/);
    expect((await change(id, { color: "red" })).status).toBe(400);
    expect((await change(id, { profile: "nobody" })).status).toBe(404);
    const list = (await (await fetch(`${api.url}/api/sessions`)).json()) as { data: { id: string }[] };
    expect(list.data.map((session) => session.id)).toContain(id);
    const gone = await fetch(`${api.url}/api/sessions/${id}`, { method: "DELETE" });
    expect(gone.status).toBe(204);
    expect((await fetch(`${api.url}/api/sessions/${id}`)).status).toBe(404);
    expect((await fetch(`${api.url}/api/sessions/${id}`, { method: "DELETE" })).status).toBe(404);
  });

  test.each([
    ["again", (id: string): Promise<unknown> => create({ id })],
    // Its maker died before it told anybody.
    ["quietly", (id: string): Promise<unknown> => api.db.sessions.create({ id, profile: "default" })],
  ])("R-18: a deleted session made %s under its id has a log from its first event on", async (id, make) => {
    await create({ id });
    await logReaches(api, id, 1);
    const run = playRun(api, await startRunIn(api, id));
    await run.claim();
    await run.end();
    expect((await fetch(`${api.url}/api/sessions/${id}`, { method: "DELETE" })).status).toBe(204);
    await make(id);
    const { runId } = await startRunIn(api, id);
    expect((await fetch(`${api.url}/api/runs/${runId}/cancel`, { method: "POST" })).status).toBe(202);
    const frames = await (await follow(`${api.url}/api/runs/${runId}/events`)).ended();
    expect(frames.map(({ event }) => event)).toEqual(["run_queued", "cancel", "stream_end"]);
    await logReaches(api, id, id === "again" ? 4 : 3);
    const told = (await api.journal.range(id, 0, 10)).map(({ event }) => event);
    expect(told.filter((event) => event === "session_changed")).toHaveLength(id === "again" ? 1 : 0);
  });

  test("messages come as a page with the revision", async () => {
    const empty = await newSession(api);
    const read = async (id: string) =>
      (await fetch(`${api.url}/api/sessions/${id}/messages?limit=10`)).json() as Promise<unknown>;
    const rest = { next_cursor: null, store: "none", recaps: [] };
    expect(await read(empty)).toEqual({ data: [], revision: 1, ...rest });
    const { sessionId, runId } = await startRun(api);
    expect(await read(sessionId)).toEqual({
      data: [expect.objectContaining({ role: "user", content: "hello", run_id: runId })],
      revision: 2,
      ...rest,
    });
  });
});

describe("heads", () => {
  test("an unchanged head is 304; a new event or message is not", async () => {
    const { sessionId, runId } = await startRun(api);
    const url = `${api.url}/api/sessions/${sessionId}/head`;
    const first = await fetch(url);
    const etag = first.headers.get("etag") ?? "";
    expect(await first.json()).toMatchObject({
      message_count: 1,
      active_run_id: runId,
      last_event_id: "2-0",
    });
    const same = await fetch(url, { headers: { "if-none-match": `"other", W/${etag}` } });
    expect(same.status).toBe(304);
    expect(await same.text()).toBe("");
    const run = playRun(api, { sessionId, runId });
    await run.claim();
    await run.emit("run_started", { model: "m", profile: "default" });
    const event = await fetch(url, { headers: { "if-none-match": etag } });
    expect(event.status).toBe(200);
    expect(await event.json()).toMatchObject({ message_count: 1, last_event_id: "3-1" });
    // The database alone tells of a message.
    await postJson(`${api.url}/api/sessions/${sessionId}/runs`, { input: "next", on_busy: "queue" });
    const message = await fetch(url, { headers: { "if-none-match": event.headers.get("etag") ?? "" } });
    expect(message.status).toBe(200);
    expect(await message.json()).toMatchObject({ message_count: 2 });
  });

  test("many at once; unknown ones are left out; without Redis there are no cursors", async () => {
    const redis = await startRedis();
    await withApi({ redisUrl: redis.url }, async (own) => {
      const { sessionId, runId } = await startRun(own);
      const heads = async () =>
        (await fetch(`${own.url}/api/sessions/heads?ids=${sessionId},nobody`)).json() as Promise<unknown>;
      expect(await heads()).toMatchObject({
        data: [{ session_id: sessionId, active_run_id: runId, last_event_id: "2-0" }],
        next_cursor: null,
      });
      await redis.kill();
      expect(await heads()).toMatchObject({ data: [{ session_id: sessionId, last_event_id: null }] });
      const one = await fetch(`${own.url}/api/sessions/${sessionId}/head`);
      expect(await one.json()).toMatchObject({ message_count: 1, active_run_id: runId, last_event_id: null });
    });
    for (const query of ["", "?ids=", "?ids=a:b", `?ids=${Array(201).fill("a").join()}`])
      expect((await fetch(`${api.url}/api/sessions/heads${query}`)).status).toBe(400);
  });
});

describe("settings and profiles", () => {
  test("the assistant's name is kept, and blank is the default", async () => {
    const patch = async (body: unknown) =>
      (
        await fetch(`${api.url}/api/settings`, {
          method: "PATCH",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body),
        })
      ).json();
    expect(await patch({ bot_name: "Obryn" })).toEqual({ bot_name: "Obryn" });
    expect(await patch({ bot_name: "   " })).toEqual({ bot_name: "Hermes" });
    expect(await (await fetch(`${api.url}/api/settings`)).json()).toEqual({ bot_name: "Hermes" });
  });

  test("profiles are listed by name", async () => {
    expect(await (await fetch(`${api.url}/api/profiles`)).json()).toMatchObject({
      data: [{ name: "default", state: "ok" }],
      next_cursor: null,
    });
  });
});

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { TalariaError } from "../../common/base/errors.ts";
import { postJson, startApi, startRun, type TestApi } from "../helpers/api-server.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startApi({
    workspaceCheck: async (path) => {
      if (path !== "/allowed/x/..")
        throw new TalariaError("workspace_refused", "That folder is not open to tools.");
      return "/allowed";
    },
  });
});
afterAll(() => api.close());

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
    expect(api.house.control.told.filter((line) => line === "mine created")).toHaveLength(1);
  });

  test("a POST without a body makes a session with defaults", async () => {
    const answer = await fetch(`${api.url}/api/sessions`, { method: "POST" });
    expect(answer.status).toBe(201);
    expect(await answer.json()).toMatchObject({ session: { profile: "default", title: null } });
  });

  test("an unknown profile is 404, a refused folder 422, an allowed one is kept as checked", async () => {
    expect((await create({ profile: "nobody" })).status).toBe(404);
    for (const workspace of ["/", "/proc", ".."]) expect((await create({ workspace })).status).toBe(422);
    expect((await create({ workspace: "/allowed/x/.." })).body).toMatchObject({
      session: { workspace: "/allowed" },
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

  test("messages come as a page with the revision", async () => {
    const { sessionId } = await startRun(api);
    const page = await (await fetch(`${api.url}/api/sessions/${sessionId}/messages?limit=10`)).json();
    expect(page).toEqual({ data: [], next_cursor: null, revision: 1 });
  });
});

describe("heads", () => {
  test("an unchanged head is 304; a new event or message is not", async () => {
    const { sessionId, runId } = await startRun(api);
    const url = `${api.url}/api/sessions/${sessionId}/head`;
    const first = await fetch(url);
    const etag = first.headers.get("etag") ?? "";
    expect(await first.json()).toMatchObject({ message_count: 1, active_run_id: runId, last_event_id: null });
    const same = await fetch(url, { headers: { "if-none-match": `"other", W/${etag}` } });
    expect(same.status).toBe(304);
    expect(await same.text()).toBe("");
    api.house.emit(runId, "run_queued");
    const after = await fetch(url, { headers: { "if-none-match": etag } });
    expect(after.status).toBe(200);
    expect(await after.json()).toMatchObject({ last_event_id: "1-1" });
  });

  test("many at once; unknown ones are left out; without Redis there are no cursors", async () => {
    const { sessionId, runId } = await startRun(api);
    api.house.emit(runId, "run_queued");
    const url = `${api.url}/api/sessions/heads?ids=${sessionId},nobody`;
    expect(await (await fetch(url)).json()).toMatchObject({
      data: [{ session_id: sessionId, last_event_id: "1-1" }],
      next_cursor: null,
    });
    api.house.redisAway = true;
    expect(await (await fetch(url)).json()).toMatchObject({ data: [{ last_event_id: null }] });
    api.house.redisAway = false;
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
    expect(await (await fetch(`${api.url}/api/profiles`)).json()).toEqual({
      data: [{ name: "default" }],
      next_cursor: null,
    });
  });
});

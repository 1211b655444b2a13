import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "@jest/globals";
import Database from "better-sqlite3";
import type { KeyAnswer, ModelList, ProfileSummary, ProfileView } from "../../common/contracts/profile.ts";
import type { Run } from "../../common/contracts/run.ts";
import type { Session } from "../../common/contracts/session.ts";
import { follow, startApi, type TestApi } from "../helpers/api-server.ts";
import { hintsSettled } from "../helpers/house.ts";
import { playRun } from "../helpers/played-run.ts";

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});

interface Answer<T> {
  readonly status: number;
  readonly body: T & {
    readonly error: { readonly code: string; readonly message: string; readonly details: unknown };
  };
  readonly text: string;
}
const call = async <T = object>(method: string, path: string, body?: unknown): Promise<Answer<T>> => {
  const answer = await fetch(`${api.url}/api${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: (text === "" ? null : JSON.parse(text)) as Answer<T>["body"], text };
};
/** The path as it is: `fetch` would tidy it up first. */
const rawStatus = (method: string, path: string, body = ""): Promise<number> =>
  new Promise((resolve, reject) => {
    const headers = body === "" ? {} : { "content-type": "application/json" };
    request({ port: api.port, host: "127.0.0.1", method, path, headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on("error", reject)
      .end(body);
  });
type One = { readonly profile: ProfileView };
const folder = (name: string): string => join(api.home, "profiles", name);
const create = (name: string, more: object = {}) => call<One>("POST", "/profiles", { name, ...more });
const sessionOf = async (profile: string): Promise<Session> =>
  (await call<{ session: Session }>("POST", "/sessions", { profile })).body.session;
const start = (session: Session) =>
  call<{ run: Run }>("POST", `/sessions/${session.id}/runs`, { input: "hello" });
const list = async (query = ""): Promise<ProfileSummary[]> =>
  (await call<{ data: ProfileSummary[] }>("GET", `/profiles${query}`)).body.data;

describe("profiles over HTTP", () => {
  test("created, listed, read, changed; hidden ones only on request", async () => {
    const made = await create("work", { display_name: "At work" });
    expect(made.status).toBe(201);
    expect((await create("work")).body.error.code).toBe("profile_exists");
    await sessionOf("work");
    expect((await list()).find(({ name }) => name === "work")).toEqual({
      ...{
        name: "work",
        display_name: "At work",
        visible: true,
        is_default: false,
        state: "ok",
        message: null,
      },
      ...{ model: { provider: "demo", model: "", base_url: null }, keys: [], bot_name: null, sessions: 1 },
    });
    const model = { provider: "custom", default: "m", base_url: "http://127.0.0.1:9/v1" };
    const patched = await call<One>("PATCH", "/profiles/work", {
      model,
      visible: false,
      agent: { max_steps: 3 },
    });
    expect(patched.status).toBe(200);
    expect(patched.body.profile).toMatchObject({
      ...{ visible: false, agent: { max_steps: 3 }, keys: [{ name: "OPENAI_API_KEY", set: false }] },
      model: { provider: "custom", model: "m", base_url: "http://127.0.0.1:9/v1" },
    });
    expect((await list()).map(({ name }) => name)).not.toContain("work");
    expect((await list("?all=true")).map(({ name }) => name)).toContain("work");
    expect((await call<One>("GET", "/profiles/work")).body).toEqual(patched.body);
    expect((await call("PATCH", "/profiles/default", {})).status).toBe(200);
  });

  test.each<[string, unknown]>([
    ["an unknown field", { colour: "red" }],
    ["a key", { model: { api_key: "x" } }],
    ["an address with a password", { model: { base_url: "http://u:p@h/" } }],
    ["an address of a file", { model: { base_url: "file:///etc/passwd" } }],
    ["an address as it is shown, without its key", { model: { base_url: "http://h/v1?[redacted]" } }],
    ["two lines", { bot_name: "a\nb: c" }],
    ["a flag as text", { visible: "false" }],
    ["a long persona", { instructions: "x".repeat(24 * 1024 + 1) }],
    ["half a step", { agent: { max_steps: 0.5 } }],
  ])("%s is refused, nothing is written", async (_what, body) => {
    await create("strict");
    const answer = await call("PATCH", "/profiles/strict", body);
    expect([answer.status, answer.body.error.code]).toEqual([400, "invalid_request"]);
    expect(readdirSync(folder("strict"))).toEqual([]);
  });

  test("one that cannot be read is listed and says which file, and is not written to", async () => {
    await create("broken");
    mkdirSync(join(folder("broken"), ".env"));
    expect((await list()).find(({ name }) => name === "broken")).toMatchObject({
      ...{
        state: "unavailable",
        message: '.env of profile "broken" is no regular file',
        model: null,
        keys: [],
      },
    });
    const key = await call("POST", "/profiles/broken/keys", { name: "A", value: "x" });
    expect([key.status, key.body.error.code]).toEqual([422, "profile_unavailable"]);
  });

  test("the root's display name is its second name wherever a profile is named", async () => {
    await call("PATCH", "/profiles/default", { display_name: "kinni" });
    const session = await sessionOf("kinni");
    expect(session.profile).toBe("default");
    const { body } = await call<{ data: Session[] }>("GET", "/sessions?profile=kinni");
    expect(body.data.map(({ id }) => id)).toContain(session.id);
    expect((await call<One>("GET", "/profiles/kinni")).body.profile.name).toBe("default");
    expect((await create("kinni")).status).toBe(409);
    await call("PATCH", "/profiles/default", { display_name: null });
    expect((await call("GET", "/profiles/kinni")).status).toBe(404);
  });

  test.each<[string, () => Promise<unknown>]>([
    ["created", () => create("told")],
    ["changed", () => call("PATCH", "/profiles/told", { display_name: "Told" })],
    ["given a key", () => call("POST", "/profiles/told/keys", { name: "K", value: "v" })],
    ["rid of a key", () => call("DELETE", "/profiles/told/keys/K")],
    ["deleted", () => call("DELETE", "/profiles/told")],
  ])("whoever follows the list is hinted that a profile was %s", async (_what, change) => {
    await hintsSettled(api);
    const stream = await follow(`${api.url}/api/events`);
    await change();
    const [frame] = await stream.until(1);
    expect([frame?.event, JSON.parse(frame?.data ?? "")]).toEqual(["sessions_changed", { profile: "told" }]);
    stream.drop();
  });

  test("the demo model has a list, too", async () => {
    await create("offline");
    const answer = await call<ModelList>("GET", "/models?profile=offline");
    expect(answer.body).toMatchObject({ profile: "offline", provider: "demo", data: [{ id: "demo" }] });
    expect((await call("GET", "/models?profile=nobody")).status).toBe(404);
  });
});

describe("P-1 profile-name-traversal", () => {
  test.each(["..%2Fx", "%2e%2e", "a%2Fb", "A", "x%0A", "%00", "a".repeat(65), ".trash-1", "nobody", "link"])(
    "%s in every address",
    async (name) => {
      const outside = join(api.home, "outside");
      mkdirSync(outside, { recursive: true });
      mkdirSync(join(api.home, "profiles"), { recursive: true });
      if (!existsSync(folder("link"))) symlinkSync(outside, folder("link"));
      const value = JSON.stringify({ name: "KEY", value: "x" });
      for (const [method, path, body] of [
        ["GET", `/api/profiles/${name}`],
        ["PATCH", `/api/profiles/${name}`, '{"bot_name":"x"}'],
        ["DELETE", `/api/profiles/${name}`],
        ["POST", `/api/profiles/${name}/keys`, value],
        ["DELETE", `/api/profiles/${name}/keys/KEY`],
        ["GET", `/api/models?profile=${name}`],
        ["POST", "/api/profiles", JSON.stringify({ name: decodeURIComponent(name), clone_from: "nobody" })],
        ["POST", "/api/sessions", JSON.stringify({ profile: decodeURIComponent(name) })],
      ] as const)
        expect([400, 404, 409]).toContain(await rawStatus(method, path, body));
      expect(readdirSync(outside)).toEqual([]);
    },
  );
});

describe("keys are write-only", () => {
  test("set, told as set, taken out", async () => {
    await create("keys");
    const set = await call<typeof KeyAnswer>("POST", "/profiles/keys/keys", {
      name: "MY_KEY",
      value: "it's #1",
    });
    expect([set.status, set.body]).toEqual([200, { key: { name: "MY_KEY", set: true } }]);
    expect(readFileSync(join(folder("keys"), ".env"), "utf8")).toBe(`MY_KEY="it's #1"\n`);
    expect((await call<One>("GET", "/profiles/keys")).body.profile.keys).toEqual([
      { name: "MY_KEY", set: true },
    ]);
    const gone = await call("DELETE", "/profiles/keys/keys/MY_KEY");
    expect([gone.status, gone.body]).toEqual([200, { key: { name: "MY_KEY", set: false } }]);
    expect(readFileSync(join(folder("keys"), ".env"), "utf8")).toBe("");
  });

  test.each([
    ["PATH", "x"],
    ["NODE_OPTIONS", "x"],
    ["LD_PRELOAD", "x"],
    ["TALARIA_TOKEN", "x"],
    ["REDIS_URL", "x"],
    ["GOOD", "a\nPATH=/evil"],
    ["GOOD", "a\u0000"],
    ["GOOD", "\u001b[0m"],
  ])("P-2 %s=%j is refused", async (name, value) => {
    await create("refused");
    const answer = await call("POST", "/profiles/refused/keys", { name, value });
    expect([answer.status, answer.body.error.code]).toEqual([422, "key_refused"]);
    expect(readdirSync(folder("refused"))).toEqual([]);
  });

  test("P-25 secrets-do-not-travel: no key in any answer, error or log line", async () => {
    const canary = "sk-canary-7f3a9c51e0d24b68";
    const texts: string[] = [];
    const say = async (...[method, path, body]: Parameters<typeof call>): Promise<void> => {
      texts.push((await call(method, path, body)).text);
    };
    await create("secret");
    await say("POST", "/profiles/secret/keys", { name: "OPENAI_API_KEY", value: canary });
    await say("POST", "/profiles/secret/keys", { name: "PATH", value: canary });
    await say("POST", "/profiles/secret/keys", { name: "OTHER", value: `${canary}\n` });
    await say("POST", "/profiles/secret/keys", { name: "OTHER", value: canary, extra: canary });
    await say("POST", "/profiles/secret/keys", { name: canary, value: canary });
    // Where people put keys that do not belong there.
    writeFileSync(
      join(folder("secret"), "config.yaml"),
      `model: {provider: custom, default: m, base_url: "http://u:${canary}@127.0.0.1:1/v1?key=${canary}"}\nbot_name: ${canary}\n`,
    );
    writeFileSync(join(folder("secret"), "SOUL.md"), `Use ${canary}.`);
    for (const path of ["/profiles/secret", "/profiles", "/models?profile=secret"]) await say("GET", path);
    await say("PATCH", "/profiles/secret", { display_name: "x" });
    await say("POST", "/profiles", { name: "copy", clone_from: "secret" });
    await say("GET", "/profiles/copy");
    writeFileSync(join(folder("secret"), "config.yaml"), `model: {a: ${canary}\n  b: [${canary}\n`);
    await say("GET", "/profiles/secret");
    await say("PATCH", "/profiles/secret", { bot_name: "x" });
    await say("DELETE", `/profiles/secret/keys/${canary}`);
    await start(await sessionOf("secret"));
    await say("DELETE", "/profiles/secret");
    const everything = [...texts, ...api.logged].join("\n");
    expect(everything).toContain("OPENAI_API_KEY");
    expect(everything).not.toContain("canary-7f3a");
  });
});

describe("deleting", () => {
  test("P-26 delete-busy-profile: refused with the runs while they are queued or running", async () => {
    await create("busy");
    const [first, second] = [await sessionOf("busy"), await sessionOf("busy")];
    const running = (await start(first)).body.run;
    const queued = (await start(second)).body.run;
    const played = playRun(api, { sessionId: first.id, runId: running.id });
    await played.claim();
    const refused = await call("DELETE", "/profiles/busy");
    expect([refused.status, refused.body.error.code]).toEqual([409, "profile_busy"]);
    expect(refused.body.error.details).toEqual({ run_ids: [running.id, queued.id] });
    expect(existsSync(folder("busy"))).toBe(true);
    expect((await call("GET", `/sessions/${first.id}`)).status).toBe(200);
    await played.end();
    await call("POST", `/runs/${queued.id}/cancel`);
    expect((await call("DELETE", "/profiles/busy")).status).toBe(204);
    expect(existsSync(folder("busy"))).toBe(false);
    for (const { id } of [first, second]) expect((await call("GET", `/sessions/${id}`)).status).toBe(404);
    expect((await call("DELETE", "/profiles/busy")).status).toBe(404);
    expect((await call("POST", "/sessions", { profile: "busy" })).body.error.code).toBe("profile_not_found");
    expect(await api.journal.head(first.id)).toBeNull();
  });

  test("other profiles' sessions and files stay; the default one cannot be deleted", async () => {
    await create("one");
    const other = await sessionOf("default");
    await call("DELETE", "/profiles/one");
    expect((await call("GET", `/sessions/${other.id}`)).status).toBe(200);
    expect((await call("DELETE", "/profiles/default")).body.error.code).toBe("forbidden");
  });

  const play = async (session: Session): Promise<string> => {
    const { run } = (await start(session)).body;
    const played = playRun(api, { sessionId: session.id, runId: run.id });
    await played.claim();
    await played.end();
    await api.lifecycle.dispatcher.settled();
    return run.id;
  };

  test("a session can be made anew under an id that went with a profile", async () => {
    await create("back");
    const session = await sessionOf("back");
    await play(session);
    await call("DELETE", "/profiles/back");
    await create("back");
    const again = await call<{ session: Session }>("POST", "/sessions", { id: session.id, profile: "back" });
    expect(again.status).toBe(201);
    const runId = await play(again.body.session);
    expect((await call<{ run: Run }>("GET", `/runs/${runId}`)).body.run.status).toBe("completed");
  });

  test("a folder that is brought back brings its conversations back, and they go on", async () => {
    await create("kept");
    const session = await sessionOf("kept");
    await play(session);
    const copy = join(api.home, "backup");
    cpSync(folder("kept"), copy, { recursive: true, filter: (path) => !/state\.db(-wal|-shm)?$/.test(path) });
    const db = new Database(join(folder("kept"), "state.db"), { timeout: 5_000 });
    await db.backup(join(copy, "state.db"));
    db.close();
    await call("DELETE", "/profiles/kept");
    expect((await call("GET", `/sessions/${session.id}`)).status).toBe(404);
    renameSync(copy, folder("kept"));
    while ((await call("GET", `/sessions/${session.id}`)).status !== 200)
      await new Promise((resolve) => setTimeout(resolve, 50));
    const { data } = (await call<{ data: { content: string }[] }>("GET", `/sessions/${session.id}/messages`))
      .body;
    expect(data.map(({ content }) => content)).toEqual(["hello"]);
    const runId = await play(session);
    expect((await call<{ run: Run }>("GET", `/runs/${runId}`)).body.run.status).toBe("completed");
  });
});

describe("P-4, P-5: what a run carries", () => {
  test("the configuration revision at its acceptance; forks inherit the profile", async () => {
    await create("carry");
    const session = await sessionOf("carry");
    const { run } = (await start(session)).body;
    const { profile } = (await call<One>("GET", "/profiles/carry")).body;
    expect(run.profile).toBe("carry");
    expect(run.config_revision).toMatch(/^[A-Za-z0-9_-]{16}$/);
    expect(run.config_revision).toBe(profile.config_revision);
    await call("POST", "/profiles/carry/keys", { name: "K", value: "v" });
    const changed = (await call<One>("GET", "/profiles/carry")).body.profile.config_revision;
    expect(changed).not.toBe(run.config_revision);
    const played = playRun(api, { sessionId: session.id, runId: run.id });
    await played.claim();
    await played.end();
    await api.lifecycle.dispatcher.settled();
    const fork = await call<{ session: Session }>("POST", `/sessions/${session.id}/fork`, {});
    expect(fork.body.session.profile).toBe("carry");
    expect((await start(fork.body.session)).body.run).toMatchObject({
      profile: "carry",
      config_revision: changed,
    });
  });

  test.each(["retry", "edit", "duplicate", "queued"])("P-5 a continuation by %s inherits it", async (how) => {
    const name = `heir-${how}`;
    await create(name);
    const session = await sessionOf(name);
    const { run } = (await start(session)).body;
    const played = playRun(api, { sessionId: session.id, runId: run.id });
    await played.claim();
    const post = (path: string, body: object) =>
      call<{ run: Run }>("POST", `/sessions/${session.id}/${path}`, body);
    const queued = how === "queued" ? await post("runs", { input: "next", on_busy: "queue" }) : null;
    await played.end();
    await api.lifecycle.dispatcher.settled();
    const [first] = (await call<{ data: { id: string }[] }>("GET", `/sessions/${session.id}/messages`)).body
      .data;
    const next = async () => {
      if (queued !== null) return queued;
      if (how === "retry") return post("retry", {});
      if (how === "edit") return post("edit", { message_id: first?.id, input: "otherwise" });
      const copy = await call<{ session: Session }>("POST", `/sessions/${session.id}/duplicate`, {});
      return start(copy.body.session);
    };
    const answer = await next();
    expect([answer.status, answer.body.run?.profile]).toEqual([202, name]);
    expect(answer.body.run.config_revision).toBe(run.config_revision);
    expect(answer.body.run.id).not.toBe(run.id);
  });
});

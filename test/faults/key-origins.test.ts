import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import type { ProfileView } from "../../common/contracts/profile.ts";
import type { Run } from "../../common/contracts/run.ts";
import type { Session } from "../../common/contracts/session.ts";
import { type Deployment, startDeployment } from "../helpers/deployment.ts";
import { type RecordedModel, startRecordedModel } from "../helpers/recorded-model.ts";

/** security-contract 11, hostile input 89, with real processes: two model servers on two ports, and who sees which key. */
let d: Deployment;
let first: RecordedModel;
let second: RecordedModel;

beforeAll(async () => {
  d = await startDeployment();
  [first, second] = await Promise.all([startRecordedModel(d.model), startRecordedModel(d.model)]);
  await d.startWorker();
});
afterAll(async () => {
  await Promise.all([first.close(), second.close()]);
  await d.close();
});
beforeEach(() => {
  first.forget();
  second.forget();
});

const OLD = "key-of-the-first";
const NEW = "key-of-the-second";
type One = { readonly profile: ProfileView };
const patch = async (name: string, body: unknown): Promise<ProfileView> => {
  const answer = await d.request<One>("PATCH", `/api/profiles/${name}`, body);
  expect(answer.status).toBe(200);
  return answer.body.profile;
};
const setKey = (name: string, value: string) =>
  d.request("POST", `/api/profiles/${name}/keys`, { name: "OPENAI_API_KEY", value });
const at = (model: RecordedModel) => ({
  model: { provider: "custom", default: "fake", base_url: model.url },
});
/** A profile at the first server, with its key. */
const profile = async (name: string): Promise<string> => {
  await d.request("POST", "/api/profiles", { name });
  await patch(name, at(first));
  await setKey(name, OLD);
  return join(d.home, "profiles", name);
};
const run = async (name: string): Promise<Run> => {
  const { session } = (await d.request<{ session: Session }>("POST", "/api/sessions", { profile: name }))
    .body;
  const started = await d.startRun(session.id, "hello");
  await d.follow(started.id).ended;
  return d.getRun(started.id);
};
const keysOf = (model: RecordedModel): readonly (string | undefined)[] =>
  model.asked.map(({ authorization }) => authorization);
const state = (set: boolean) => [{ name: "OPENAI_API_KEY", set }];

test("hostile input 89: a new base URL has no key, in runs and lists of models; the answer says so", async () => {
  await profile("moved");
  expect((await run("moved")).status).toBe("completed");
  expect(keysOf(first)).toEqual([`Bearer ${OLD}`]);
  const moved = await patch("moved", { model: { base_url: second.url } });
  expect(moved).toMatchObject({ model: { base_url: second.url }, keys: state(false) });
  expect((await run("moved")).status).toBe("completed");
  expect((await d.request("GET", "/api/models?profile=moved")).status).toBe(200);
  expect(second.asked.map(({ path }) => path)).toEqual(["/v1/chat/completions", "/v1/models"]);
  expect(keysOf(second)).toEqual([undefined, undefined]);
  expect((await setKey("moved", NEW)).status).toBe(200);
  await run("moved");
  expect(keysOf(second).at(-1)).toBe(`Bearer ${NEW}`);
  expect(JSON.stringify(second.asked)).not.toContain(OLD);
});

test("a key that comes with its address is the only one that the address sees", async () => {
  await profile("both");
  const moved = await patch("both", { ...at(second), key: { name: "OPENAI_API_KEY", value: NEW } });
  expect(moved.keys).toEqual(state(true));
  await run("both");
  expect(keysOf(second)).toEqual([`Bearer ${NEW}`]);
  expect(keysOf(first)).toEqual([]);
});

test("runs that start while a profile moves to and fro: each server sees its own key or none", async () => {
  await profile("restless");
  const moves = (async () => {
    for (let i = 0; i < 12; i++) {
      await patch("restless", { ...at(second), key: { name: "OPENAI_API_KEY", value: NEW } });
      await patch(
        "restless",
        i % 2 === 0 ? at(first) : { ...at(first), key: { name: "OPENAI_API_KEY", value: OLD } },
      );
    }
  })();
  let moving = true;
  void moves.finally(() => {
    moving = false;
  });
  do {
    await Promise.all(Array.from({ length: 8 }, () => run("restless")));
  } while (moving);
  await moves;
  expect(first.asked.length + second.asked.length).toBeGreaterThan(8);
  expect(keysOf(first).filter((key) => key !== undefined && key !== `Bearer ${OLD}`)).toEqual([]);
  expect(keysOf(second).filter((key) => key !== undefined && key !== `Bearer ${NEW}`)).toEqual([]);
});

test("an owner who edits both files by hand decides; the next change over HTTP starts from there", async () => {
  const folder = await profile("by-hand");
  const text = await readFile(join(folder, "config.yaml"), "utf8");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "config.yaml"), text.replace(first.url, second.url));
  await run("by-hand");
  expect(keysOf(second)).toEqual([`Bearer ${OLD}`]);
  expect((await patch("by-hand", { model: { default: "other" }, bot_name: "Iris" })).keys).toEqual(
    state(true),
  );
  // It was saved for this one.
  expect((await patch("by-hand", at(first))).keys).toEqual(state(true));
});

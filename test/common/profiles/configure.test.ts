import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import type { PatchProfileBody, ProfileView } from "../../../common/contracts/profile.ts";
import { loadKeyOrigins } from "../../../common/profiles/key-origins.ts";
import { resolveProfile } from "../../../common/profiles/resolve.ts";
import { newHome, SALT, storeOf, writeFiles } from "./homes.ts";

/** security-contract 11: a key belongs to the origin it was saved for. */
const A = "http://127.0.0.1:9001/v1";
const B = "http://127.0.0.1:9002/v1";
const KEY = "sk-canary-0123456789";
type Model = NonNullable<PatchProfileBody["model"]>;
const at = (base_url: string): { readonly model: Model } => ({ model: { provider: "custom", base_url } });
const OPENAI: { readonly model: Model } = { model: { provider: "openai", base_url: null } };
const ANTHROPIC: { readonly model: Model } = { model: { provider: "anthropic", base_url: null } };
const DEMO: { readonly model: Model } = { model: { provider: null, base_url: null } };

const isSet = ({ keys }: ProfileView, name = "OPENAI_API_KEY"): boolean =>
  keys.some((key) => key.name === name && key.set);
const dotenv = (home: string): string => readFileSync(join(home, ".env"), "utf8");
/** The default profile, its key saved over the API while it was at A. */
const savedAtA = async (): Promise<string> => {
  const home = newHome({ ".env": "# mine\nOTHER=1\n" });
  await storeOf(home).patch("default", at(A));
  await storeOf(home).setKey("default", "OPENAI_API_KEY", KEY);
  return home;
};

describe("a key that was saved for one origin", () => {
  test.each<[string, readonly PatchProfileBody[]]>([
    ["another port", [at(B)]],
    ["another scheme", [at(A.replace("http:", "https:"))]],
    ["another name of the same machine", [at(A.replace("127.0.0.1", "localhost"))]],
    ["a provider with an address of its own", [OPENAI]],
    ["nowhere, and then another port", [DEMO, at(B)]],
    ["nowhere, and then a provider", [DEMO, OPENAI]],
    ["a provider with another key, and then another port", [ANTHROPIC, at(B)]],
    ["a provider with another key, and then its own provider", [ANTHROPIC, OPENAI]],
    ["no address yet, and then another port", [{ model: { base_url: null } }, { model: { base_url: B } }]],
    ["a provider's name with another address", [{ model: { provider: "openai", base_url: B } }]],
  ])("is gone at %s; everything else stays", async (_where, changes) => {
    const home = await savedAtA();
    let view: ProfileView | null = null;
    for (const change of changes) view = await storeOf(home).patch("default", change);
    expect(view === null || isSet(view)).toBe(false);
    expect(dotenv(home)).toBe("# mine\nOTHER=1\n");
    expect((await resolveProfile(home, "default")).model.apiKey).toBeNull();
  });

  test.each<[string, readonly PatchProfileBody[]]>([
    ["another path", [at(A.replace("/v1", "/v2"))]],
    ["the same address, written in another way", [at("HTTP://127.0.0.1:9001/")]],
    ["another model", [{ model: { default: "m" } }]],
    ["nowhere and back", [DEMO, at(A)]],
    ["another provider and back", [ANTHROPIC, at(A)]],
    ["what has nothing to do with it", [{ bot_name: "Iris", agent: { max_steps: 3 } }]],
  ])("stays at %s", async (_where, changes) => {
    const home = await savedAtA();
    for (const change of changes) await storeOf(home).patch("default", change);
    expect((await resolveProfile(home, "default")).model.apiKey).toBe(KEY);
  });

  test("can be saved for a second one, and then goes to both", async () => {
    const home = await savedAtA();
    await storeOf(home).patch("default", { ...at(B), key: { name: "OPENAI_API_KEY", value: KEY } });
    for (const change of [at(A), at(B)])
      expect(isSet(await storeOf(home).patch("default", change))).toBe(true);
  });

  test("set before there is an address, it goes to the first one, and to no other", async () => {
    const home = newHome({});
    await storeOf(home).setKey("default", "OPENAI_API_KEY", KEY);
    expect(isSet(await storeOf(home).patch("default", at(A)))).toBe(true);
    expect((await resolveProfile(home, "default")).model.apiKey).toBe(KEY);
    expect(isSet(await storeOf(home).patch("default", DEMO))).toBe(true);
    expect(isSet(await storeOf(home).patch("default", at(B)))).toBe(false);
  });

  test("is gone when a variable that the address names moves it", async () => {
    const home = newHome({
      ".env": `HOST_OF_MODEL=127.0.0.1:9001\nOPENAI_API_KEY=${KEY}\n`,
      "config.yaml": 'model: {provider: custom, base_url: "http://$' + '{HOST_OF_MODEL}/v1"}\n',
    });
    await storeOf(home).setKey("default", "ELSE", "1");
    expect(dotenv(home)).toContain(KEY);
    await storeOf(home).setKey("default", "HOST_OF_MODEL", "127.0.0.1:9002");
    expect(dotenv(home)).toBe("HOST_OF_MODEL=127.0.0.1:9002\nELSE=1\n");
  });

  test("is remembered without being written down", async () => {
    const home = await savedAtA();
    const file = join(home, "talaria", "key-origins.json");
    expect(readFileSync(file, "utf8")).toContain("http://127.0.0.1:9001");
    expect(readFileSync(file, "utf8")).not.toContain("canary");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    writeFileSync(file, "{");
    const refused = { code: "store_unavailable", message: expect.stringContaining("key-origins.json") };
    await expect(storeOf(home).patch("default", at(B))).rejects.toMatchObject(refused);
    expect((await resolveProfile(home, "default")).model).toMatchObject({ baseUrl: A, apiKey: KEY });
  });
});

describe("a key that stands in the file by hand", () => {
  const handWritten = (config: string): string =>
    newHome({
      ".env": `OPENAI_API_KEY=${KEY} # o\nANTHROPIC_API_KEY=${KEY}2\nTAVILY_API_KEY=x\n`,
      "config.yaml": config,
    });

  test("belongs to where it went before the change", async () => {
    const home = handWritten(`model: {provider: custom, base_url: "${A}"}\n`);
    expect(isSet(await storeOf(home).patch("default", DEMO))).toBe(true);
    expect(isSet(await storeOf(home).patch("default", at(A)))).toBe(true);
    expect(isSet(await storeOf(home).patch("default", at(B)))).toBe(false);
    expect(dotenv(home)).toBe(`ANTHROPIC_API_KEY=${KEY}2\nTAVILY_API_KEY=x\n`);
  });

  test("goes to the provider of its name, and to nobody else who is new", async () => {
    const home = handWritten("model: {provider: openai}\n");
    expect(isSet(await storeOf(home).patch("default", ANTHROPIC), "ANTHROPIC_API_KEY")).toBe(true);
    expect(isSet(await storeOf(home).patch("default", OPENAI))).toBe(true);
    const tavily = await storeOf(home).patch("default", { model: { provider: "tavily", base_url: B } });
    expect(isSet(tavily, "TAVILY_API_KEY")).toBe(false);
    expect(dotenv(home)).toBe(`OPENAI_API_KEY=${KEY} # o\nANTHROPIC_API_KEY=${KEY}2\n`);
  });

  test("nothing of it is needed for what has no part in it", async () => {
    const home = newHome({}, { a: { "config.yaml": "bot_name: x\n" } });
    writeFiles(join(home, "profiles", "a", ".env"), { "not-a-file": "" });
    expect(await storeOf(home).patch("a", { bot_name: "y", display_name: "z" })).toMatchObject({
      display_name: "z",
    });
    await expect(storeOf(home).patch("a", at(B))).rejects.toMatchObject({ code: "profile_unavailable" });
    expect(readFileSync(join(home, "profiles", "a", "config.yaml"), "utf8")).toBe("bot_name: y\n");
  });

  test("a configuration that the owner keeps elsewhere is read through its link, not written", async () => {
    const [elsewhere, home] = [
      newHome({ "config.yaml": `model: {provider: custom, base_url: "${A}"}\n` }),
      newHome(),
    ];
    symlinkSync(join(elsewhere, "config.yaml"), join(home, "config.yaml"));
    await storeOf(home).setKey("default", "OPENAI_API_KEY", KEY);
    expect((await resolveProfile(home, "default")).model.apiKey).toBe(KEY);
    await expect(storeOf(home).patch("default", at(B))).rejects.toMatchObject({
      code: "profile_unavailable",
    });
    expect((await resolveProfile(home, "default")).model.baseUrl).toBe(A);
  });
});

describe("refused, nothing is written", () => {
  const body = (model: Model, more: Partial<PatchProfileBody> = {}): PatchProfileBody => ({ model, ...more });
  test.each<[string, PatchProfileBody]>([
    ["an address that names a key", body({ base_url: "http://127.0.0.1:9002/$" + "{OTHER_TOKEN}/v1" })],
    ["a model that names a key", body({ default: "$" + "{OPENAI_API_KEY}" })],
    ["a key of the server", body({ base_url: B }, { key: { name: "REDIS_URL", value: "x" } })],
    ["a key with a line break", body({ base_url: B }, { key: { name: "OPENAI_API_KEY", value: "a\nb" } })],
  ])("%s", async (_what, change) => {
    const home = await savedAtA();
    await expect(storeOf(home).patch("default", change)).rejects.toMatchObject({ code: "key_refused" });
    expect((await resolveProfile(home, "default")).model).toMatchObject({
      baseUrl: A,
      model: "",
      apiKey: KEY,
    });
  });

  test("what names a key already may be sent back as it is", async () => {
    const base_url = "http://127.0.0.1:9001/$" + "{GATEWAY_TOKEN}/v1";
    const home = newHome({ "config.yaml": `model: {provider: custom, base_url: "${base_url}"}\n` });
    expect(await storeOf(home).patch("default", { model: { base_url, default: "m" } })).toMatchObject({
      model: { model: "m" },
    });
  });
});

test("a clone has its key for the origin of its source, and loses it like that one", async () => {
  const home = await savedAtA();
  expect(isSet(await storeOf(home).create({ name: "b", clone_from: "default" }))).toBe(true);
  expect(isSet(await storeOf(home).patch("b", { ...DEMO }))).toBe(true);
  expect(isSet(await storeOf(home).patch("b", at(B)))).toBe(false);
  expect((await resolveProfile(home, "default")).model.apiKey).toBe(KEY);
  expect(existsSync(join(home, "profiles", "b", "talaria"))).toBe(false);
});

test("what is remembered comes in addition, also when an edit begins anew", async () => {
  const file = join(newHome(), "talaria", "key-origins.json");
  const origins = await loadKeyOrigins(file, SALT);
  for (const origin of ["http://one", "http://two", "http://one"])
    await origins.remember([{ name: "K", value: "v", origin }]);
  for (const known of [origins, await loadKeyOrigins(file, SALT)]) {
    expect(known.of("K", "v")).toEqual(["http://one", "http://two"]);
    expect(known.of("K", "w")).toEqual([]);
  }
});

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of configuration files, not of this one
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { stringify } from "yaml";
import type { Profile } from "../../../common/profiles/port.ts";
import { resolveProfile } from "../../../common/profiles/resolve.ts";

const profileOf = (config: unknown, env = ""): Promise<Profile> => {
  const home = mkdtempSync(join(tmpdir(), "talaria-titles-"));
  writeFileSync(join(home, "config.yaml"), typeof config === "string" ? config : stringify(config));
  writeFileSync(join(home, ".env"), env);
  return resolveProfile(home, "default");
};
const titlesOf = async (section: unknown, model: unknown = undefined, env = "") =>
  (await profileOf({ model, auxiliary: { title_generation: section } }, env)).auxiliary.titles;
const dedicated = async (section: unknown, model: unknown, env = "") =>
  (await titlesOf(section, model, env)).model;

const DEFAULTS = { enabled: true, model: null, timeoutMs: 15_000, refreshEvery: 0 };
const CUSTOM = { provider: "custom", default: "chat", base_url: "http://chat.test/v1" };
const ENV =
  "OPENAI_API_KEY=chat-key\nTITLE_KEY=title-key\nANTHROPIC_API_KEY=claude-key\nMISTRAL_API_KEY=mistral-key";

describe("auxiliary.title_generation", () => {
  test.each([
    "",
    "auxiliary:\n",
    "auxiliary: {title_generation: }",
    "auxiliary: {title_generation: {}}",
    "auxiliary: 7",
  ])("nothing said means on, with the session's model: %j", async (config) => {
    expect((await profileOf(config)).auxiliary.titles).toEqual(DEFAULTS);
  });

  test.each([
    ...[undefined, null, true, "1", "true", "YES", " on ", 1].map((value) => [value, true] as const),
    ...[false, 0, "", "0", "false", "no", "off", "enabled", "y", [], 2].map(
      (value) => [value, false] as const,
    ),
  ])("enabled: %j is %j", async (enabled, expected) => {
    expect((await titlesOf({ enabled })).enabled).toBe(expected);
  });

  test.each([
    ...[0, -1, "soon", "", true, null, [], Number.NaN].map((value) => [value, 15_000] as const),
    ...([
      [5, 5_000],
      ["7.5", 7_500],
      [0.0001, 1],
      [1e12, 120_000],
    ] as const),
  ])("timeout: %j is %j ms", async (timeout, expected) => {
    expect((await titlesOf({ timeout })).timeoutMs).toBe(expected);
  });

  test.each([
    ...([
      [0, 0],
      [5, 5],
      ["10", 10],
      [20, 20],
      [undefined, 0],
    ] as const),
    ...[1, 15, -5, "often", true].map((value) => [value, 0] as const),
  ])("refresh_every: %j is %j", async (value, expected) => {
    expect((await titlesOf({ refresh_every: value })).refreshEvery).toBe(expected);
  });

  test("what is not understood is said by name, never by value, and does not stop the profile", async () => {
    const section = { refresh_every: "hunter2", model: ["hunter2"] };
    const { warnings } = await profileOf({ auxiliary: { title_generation: section } });
    expect(warnings).toEqual([
      expect.stringContaining("auxiliary.title_generation.model"),
      expect.stringContaining("auxiliary.title_generation.refresh_every"),
    ]);
    expect(warnings.join()).not.toContain("hunter2");
    expect((await profileOf({ auxiliary: { title_generation: "hunter2" } })).warnings).toEqual([
      "auxiliary.title_generation is no map",
    ]);
  });
});

describe("a model for titles", () => {
  test("another model of the chat model's provider has its address and key", async () => {
    const expected = {
      provider: "custom",
      model: "small",
      baseUrl: "http://chat.test/v1",
      apiKey: "chat-key",
    };
    expect(await dedicated({ model: "small" }, CUSTOM, ENV)).toEqual(expected);
    expect(await dedicated({ model: "@custom:small" }, CUSTOM, ENV)).toEqual(expected);
    expect(await dedicated({ model: "small", provider: "auto" }, CUSTOM, ENV)).toEqual(expected);
    expect(await dedicated({ model: "small", base_url: "http://chat.test/v1/" }, CUSTOM, ENV)).toEqual({
      ...expected,
      baseUrl: "http://chat.test/v1/",
    });
  });

  test("the picker's form names the provider; only its first colon counts", async () => {
    expect(await dedicated({ model: "@anthropic:claude-small" }, CUSTOM, ENV)).toEqual({
      ...{ provider: "anthropic", model: "claude-small", baseUrl: null, apiKey: "claude-key" },
    });
    expect(await dedicated({ model: "@custom:llama3:8b" }, CUSTOM, ENV)).toMatchObject({
      ...{ provider: "custom", model: "llama3:8b" },
    });
    expect(await dedicated({ model: "llama3:8b" }, CUSTOM, ENV)).toMatchObject({ model: "llama3:8b" });
  });

  test("security-contract 11: the chat model's key goes to no other address", async () => {
    const elsewhere = { model: "small", base_url: "http://elsewhere.test/v1" };
    expect(await dedicated(elsewhere, CUSTOM, ENV)).toMatchObject({ apiKey: null });
    expect(await dedicated({ ...elsewhere, provider: "custom" }, CUSTOM, ENV)).toMatchObject({
      apiKey: null,
    });
    expect(await dedicated({ ...elsewhere, provider: "openai" }, CUSTOM, ENV)).toMatchObject({
      apiKey: null,
    });
    // Another port and another scheme are other origins, too.
    for (const base_url of ["http://chat.test:81/v1", "https://chat.test/v1", "http://chat.test.evil/v1"])
      expect(await dedicated({ model: "small", base_url }, CUSTOM, ENV)).toMatchObject({ apiKey: null });
    // What was kept for a server of one's own is not shown to OpenAI either.
    expect(await dedicated({ model: "@openai:small" }, CUSTOM, ENV)).toMatchObject({ apiKey: null });
  });

  test("a well-known provider's key goes to that provider only", async () => {
    const openai = { provider: "openai", default: "chat" };
    expect(await dedicated({ model: "small" }, openai, ENV)).toMatchObject({ apiKey: "chat-key" });
    expect(await dedicated({ provider: "anthropic", model: "m" }, openai, ENV)).toMatchObject({
      apiKey: "claude-key",
    });
    expect(
      await dedicated({ provider: "anthropic", model: "m", base_url: "http://proxy.test" }, openai, ENV),
    ).toMatchObject({ apiKey: null });
    expect(
      await dedicated({ provider: "custom", model: "m", base_url: "http://proxy.test" }, undefined, ENV),
    ).toMatchObject({ apiKey: null });
  });

  test("a provider of its own with its own address has the key of its name", async () => {
    const section = { provider: "mistral", model: "m", base_url: "http://mistral.test/v1" };
    expect(await dedicated(section, CUSTOM, ENV)).toMatchObject({ apiKey: "mistral-key" });
    const main = { provider: "mistral", default: "chat", base_url: "http://other.test/v1" };
    expect(await dedicated(section, main, ENV)).toMatchObject({ apiKey: null });
  });

  test("a key that the section names is used wherever it points, and is a secret", async () => {
    const section = { model: "small", base_url: "http://elsewhere.test/v1" };
    expect(await dedicated({ ...section, api_key_env: "TITLE_KEY" }, CUSTOM, ENV)).toMatchObject({
      apiKey: "title-key",
    });
    expect(await dedicated({ ...section, api_key: "${TITLE_KEY}" }, CUSTOM, ENV)).toMatchObject({
      apiKey: "title-key",
    });
    // Named and missing: no other one steps in.
    expect(await dedicated({ model: "small", api_key_env: "GONE" }, CUSTOM, ENV)).toMatchObject({
      apiKey: null,
    });
    const { secrets } = await profileOf({
      ...{ model: CUSTOM, auxiliary: { title_generation: { ...section, api_key: "written down" } } },
    });
    expect(secrets).toContain("written down");
  });

  test("an address alone is a server of one's own; a provider without a model is none", async () => {
    const main = { provider: "anthropic", default: "chat" };
    expect(await dedicated({ model: "m", base_url: "http://own.test/v1" }, main, ENV)).toMatchObject({
      ...{ provider: "custom", apiKey: null },
    });
    const { auxiliary, warnings } = await profileOf({
      ...{ model: main, auxiliary: { title_generation: { provider: "openai" } } },
    });
    expect(auxiliary.titles.model).toBeNull();
    expect(warnings).toHaveLength(1);
  });
});

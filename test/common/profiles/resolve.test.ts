// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of configuration files, not of this one
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { listProfiles } from "../../../common/profiles/names.ts";
import { resolveProfile } from "../../../common/profiles/resolve.ts";

type Files = Readonly<Record<string, string>>;
const write = (folder: string, files: Files): void => {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
};
const newHome = (files: Files = {}, profiles: Readonly<Record<string, Files>> = {}): string => {
  const home = mkdtempSync(join(tmpdir(), "talaria-profiles-"));
  write(home, files);
  for (const [name, own] of Object.entries(profiles)) write(join(home, "profiles", name), own);
  return home;
};
const modelOf = async (config: string, env = "") =>
  (await resolveProfile(newHome({ "config.yaml": config, ".env": env }), "default")).model;

describe("the model of a profile", () => {
  test("nothing configured is the demo model, even on a home that does not exist", async () => {
    const demo = { provider: "demo", model: "", baseUrl: null, apiKey: null };
    expect((await resolveProfile(join(tmpdir(), "talaria-none"), "default")).model).toEqual(demo);
    expect(await modelOf("", "OPENAI_API_KEY=key-of-nobody")).toEqual(demo);
    expect(await modelOf("model:\n")).toEqual(demo);
    expect(await modelOf("model: my-model\n")).toEqual({ ...demo, model: "my-model" });
  });

  test("a custom server takes its key from OPENAI_API_KEY, or has none", async () => {
    const config = "model:\n  default: m\n  provider: custom\n  base_url: http://127.0.0.1:9/v1\n";
    const model = { provider: "custom", model: "m", baseUrl: "http://127.0.0.1:9/v1" };
    expect(await modelOf(config)).toEqual({ ...model, apiKey: null });
    expect(await modelOf(config, "OPENAI_API_KEY='the key'\n")).toEqual({ ...model, apiKey: "the key" });
  });

  test("a base_url without a provider is a custom one", async () => {
    expect(await modelOf("model: {default: m, base_url: http://127.0.0.1:9/v1}")).toMatchObject({
      provider: "custom",
    });
  });

  test.each([
    ["openai", "OPENAI_API_KEY"],
    ["anthropic", "ANTHROPIC_API_KEY"],
    ["Mistral", "MISTRAL_API_KEY"],
    ["z-ai", "Z_AI_API_KEY"],
  ])("provider %s reads %s and no other key", async (provider, name) => {
    const config = `model: {default: m, provider: ${provider}}`;
    expect(await modelOf(config, `${name}=right\nOTHER_API_KEY=wrong`)).toMatchObject({
      provider: provider.toLowerCase(),
      apiKey: "right",
    });
    expect(await modelOf(config, "OTHER_API_KEY=wrong")).toMatchObject({ apiKey: null });
  });

  test("P-15 no-inherited-credential, P-23 template-does-not-reach-server", async () => {
    process.env.OPENAI_API_KEY = "of the server";
    process.env.TALARIA_SECRET_URL = "http://server";
    try {
      const model = await modelOf(
        "model: {provider: custom, default: '${MINE}-${OPENAI_API_KEY}', base_url: '${TALARIA_SECRET_URL}'}",
        "MINE=m",
      );
      expect(model).toEqual({ provider: "custom", model: "m-", baseUrl: null, apiKey: null });
    } finally {
      delete process.env.OPENAI_API_KEY;
      delete process.env.TALARIA_SECRET_URL;
    }
  });
});

describe("the files of a profile", () => {
  test("P-2 profile-cannot-set-path: names of the server are left out, and said", async () => {
    const text =
      "PATH=/evil\nNODE_OPTIONS=--inspect\nLD_PRELOAD=x\nREDIS_URL=x\nTALARIA_TOKEN=x\nXDG_A=b\nGOOD=yes\nEMPTY=\n";
    const profile = await resolveProfile(newHome({ ".env": text }), "default");
    expect(profile.env).toEqual({ GOOD: "yes" });
    expect(profile.warnings).toHaveLength(6);
  });

  test("P-3 malformed lines are named by number, never by value; nothing is expanded", async () => {
    const text = 'A=1\nhunter2 oops\n# note\nexport B="x\ny"\nC=$(id) ${A}\n';
    const profile = await resolveProfile(newHome({ ".env": text }), "default");
    expect(profile.env).toEqual({ A: "1", B: "x\ny", C: "$(id) ${A}" });
    expect(profile.warnings).toEqual(["line 2 of .env is no NAME=value"]);
  });

  test("secrets are what must not be shown, configuration is not among them", async () => {
    const text = [
      "OPENAI_API_KEY=first-key",
      "DB=postgres://u:p%40ss-word@h/db",
      "AWS_REGION=eu-central-1",
      "BASE_URL=http://127.0.0.1/x",
      "OPAQUE=abcdefghij0123456789",
    ].join("\n");
    const { secrets } = await resolveProfile(newHome({ ".env": text }), "default");
    expect([...secrets].sort()).toEqual(["abcdefghij0123456789", "first-key", "p@ss-word"]);
  });

  test("P-6 unreadable-env: it fails and names the profile", async () => {
    const home = newHome({}, { a: { "config.yaml": "model: m" } });
    mkdirSync(join(home, "profiles", "a", ".env"));
    await expect(resolveProfile(home, "a")).rejects.toMatchObject({
      code: "profile_unavailable",
      message: expect.stringContaining('profile "a"'),
    });
  });

  test.each(["model: [", "- a list", "model: {default: {deep: 1}}", "agent: {max_steps: -1}"])(
    "P-6 an invalid config.yaml fails: %s",
    async (config) => {
      await expect(resolveProfile(newHome({ "config.yaml": config }), "default")).rejects.toMatchObject({
        code: "profile_unavailable",
      });
    },
  );

  test("P-19 key-rotated-during-run: files are read fresh each time", async () => {
    const home = newHome({ ".env": "OPENAI_API_KEY=one", "config.yaml": "model: {provider: openai}" });
    const first = await resolveProfile(home, "default");
    write(home, { ".env": "OPENAI_API_KEY=two" });
    expect([first.model.apiKey, (await resolveProfile(home, "default")).model.apiKey]).toEqual([
      "one",
      "two",
    ]);
  });

  test("bot name, agent settings and SOUL.md", async () => {
    const home = newHome(
      {},
      { a: { "config.yaml": "bot_name: Iris\nagent: {max_steps: 9}", "SOUL.md": "Be kind.\n" } },
    );
    const profile = await resolveProfile(home, "a");
    expect(profile).toMatchObject({ botName: "Iris", agent: { maxSteps: 9, instructions: "Be kind." } });
    expect(profile.home).toBe(join(home, "profiles", "a"));
  });
});

describe("P-1 profile-name-traversal", () => {
  test.each(["../x", "a/b", "A", "x\n", ".", "", "a".repeat(65), "missing"])(
    "%j is refused",
    async (name) => {
      await expect(resolveProfile(newHome({}, { x: {} }), name)).rejects.toMatchObject({
        code: "profile_not_found",
      });
    },
  );

  test("a link that leads out of the profiles folder is refused, and not listed", async () => {
    const home = newHome({}, { good: {}, Bad: {} });
    const outside = newHome({ ".env": "STOLEN_KEY=x" });
    symlinkSync(outside, join(home, "profiles", "link"));
    writeFileSync(join(home, "profiles", "file"), "");
    await expect(resolveProfile(home, "link")).rejects.toMatchObject({ code: "profile_not_found" });
    await expect(resolveProfile(home, "file")).rejects.toMatchObject({ code: "profile_not_found" });
    expect(await listProfiles(home)).toEqual(["default", "good"]);
  });

  test("a home without profiles has the default one", async () => {
    expect(await listProfiles(join(tmpdir(), "talaria-none"))).toEqual(["default"]);
  });
});

import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { editFiles } from "../../../common/profiles/edit.ts";
import { parseEnvFile } from "../../../common/profiles/env-file.ts";
import { readFiles } from "../../../common/profiles/files.ts";
import { profileTerms } from "../../../common/profiles/resolve.ts";
import { loadSalt, revisionOf } from "../../../common/profiles/revision.ts";
import { newHome, SALT, storeOf, writeFiles } from "./homes.ts";

const ENV = "# keys\nOPENAI_API_KEY=sk-canary-0123456789 # mine\nTALARIA_TOKEN=server\n";
const CONFIG = `# settings
model: # which
  provider: custom
  default: m
  base_url: http://127.0.0.1:9/v1
talaria:
  password: the-server's
`;
const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe("creating", () => {
  test("an empty one", async () => {
    const home = newHome();
    const made = await storeOf(home).create({ name: "work", display_name: "At work" });
    expect(made).toMatchObject({
      ...{
        name: "work",
        display_name: "At work",
        visible: true,
        is_default: false,
        state: "ok",
        message: null,
      },
      ...{ model: { provider: "demo", model: "", base_url: null }, keys: [], instructions: "" },
    });
    expect(modeOf(join(home, "profiles", "work"))).toBe(0o700);
    await expect(storeOf(home).create({ name: "work" })).rejects.toMatchObject({ code: "profile_exists" });
    await expect(storeOf(home).create({ name: "default" })).rejects.toMatchObject({ code: "profile_exists" });
  });

  test("a clone has comments, keys and 0600, and nothing that is the server's", async () => {
    const home = newHome({ ".env": ENV, "config.yaml": CONFIG, "SOUL.md": "Be kind.\n", "state.db": "x" });
    chmodSync(join(home, "config.yaml"), 0o640);
    const made = await storeOf(home).create({ name: "b", clone_from: "default" });
    expect(made).toMatchObject({
      model: { provider: "custom", model: "m", base_url: "http://127.0.0.1:9/v1" },
      ...{ keys: [{ name: "OPENAI_API_KEY", set: true }], instructions: "Be kind." },
    });
    const folder = join(home, "profiles", "b");
    expect(readdirSync(folder).sort()).toEqual([".env", "SOUL.md", "config.yaml"]);
    expect(readFileSync(join(folder, ".env"), "utf8")).toBe(ENV.replace("TALARIA_TOKEN=server\n", ""));
    expect(readFileSync(join(folder, "config.yaml"), "utf8")).toBe(
      CONFIG.replace(/talaria:[\s\S]*/, "").replace("model: #", "model:\n  #"),
    );
    expect([".env", "config.yaml"].map((name) => modeOf(join(folder, name)))).toEqual([0o600, 0o640]);
    expect(JSON.stringify(made)).not.toContain("canary");
  });

  test("a clone of what cannot be read makes nothing", async () => {
    const home = newHome({}, { bad: { "config.yaml": "model: [" }, worse: {} });
    mkdirSync(join(home, "profiles", "worse", ".env"));
    for (const from of ["bad", "worse"])
      await expect(storeOf(home).create({ name: "c", clone_from: from })).rejects.toMatchObject({
        code: "profile_unavailable",
      });
    await expect(storeOf(home).create({ name: "c", clone_from: "nobody" })).rejects.toMatchObject({
      code: "profile_not_found",
    });
    expect(readdirSync(join(home, "profiles")).sort()).toEqual(["bad", "worse"]);
  });

  test("twenty at once with one name: one is made", async () => {
    const home = newHome({ ".env": "A=1\n" });
    const stores = [storeOf(home), storeOf(home)];
    const tries = Array.from({ length: 20 }, (_, i) =>
      stores[i % 2]?.create({ name: "n", clone_from: "default" }),
    );
    const results = await Promise.allSettled(tries);
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(readdirSync(join(home, "profiles"))).toEqual(["n"]);
  });
});

describe("changing", () => {
  test("every field, and only its own place", async () => {
    const home = newHome(
      {},
      { a: { ".env": ENV, "config.yaml": CONFIG, "profile.yaml": "# p\ncolor: red\n" } },
    );
    chmodSync(join(home, "profiles", "a", "config.yaml"), 0o644);
    const changed = await storeOf(home).patch("a", {
      ...{ display_name: "Ann", visible: false, instructions: "Be brief.", bot_name: "Iris" },
      ...{ model: { default: "other", base_url: null, provider: "openai" }, agent: { max_steps: 7 } },
    });
    expect(changed).toMatchObject({
      ...{ display_name: "Ann", visible: false, instructions: "Be brief.", bot_name: "Iris" },
      ...{ model: { provider: "openai", model: "other", base_url: null }, agent: { max_steps: 7 } },
    });
    const read = (file: string) => readFileSync(join(home, "profiles", "a", file), "utf8");
    expect(read("profile.yaml")).toBe("# p\ncolor: red\ndisplay_name: Ann\nvisible: false\n");
    expect(read("config.yaml")).toMatch(/^# settings\nmodel:\s+# which\n/);
    expect(read("config.yaml")).toContain("password: the-server's");
    // The key belonged to the address that is gone.
    expect(read(".env")).toBe(ENV.replace(/OPENAI.*\n/, ""));
    expect(modeOf(join(home, "profiles", "a", "config.yaml"))).toBe(0o644);
    const back = await storeOf(home).patch("a", { visible: true, display_name: null, instructions: null });
    expect(back).toMatchObject({ display_name: "a", visible: true, instructions: "", bot_name: "Iris" });
    expect(read("profile.yaml")).toBe("# p\ncolor: red\n");
  });

  test("a SOUL.md that is longer than what is shown is not replaced by what is shown; it may be taken away", async () => {
    const whole = "ä".repeat(20_000);
    const home = newHome({}, { a: { "SOUL.md": whole } });
    const store = storeOf(home);
    const shown = await store.get("a");
    expect(shown).toMatchObject({ instructions_cut: true });
    const edit = { instructions: shown.instructions.slice(0, 100), bot_name: "Iris" };
    await expect(store.patch("a", edit)).rejects.toMatchObject({ code: "conflict" });
    expect(readFileSync(join(home, "profiles", "a", "SOUL.md"), "utf8")).toBe(whole);
    expect(await store.get("a")).toMatchObject({ bot_name: null });
    expect(await store.patch("a", { instructions: null })).toMatchObject({
      instructions: "",
      instructions_cut: false,
    });
  });

  test("what is shown instead of a key is not saved over it", async () => {
    const home = newHome(
      {},
      { a: { "SOUL.md": "Use sk-one-secret.\n" }, b: { "SOUL.md": "[redacted] is a word.\n" } },
    );
    const refused = { code: "invalid_request", details: [expect.objectContaining({ path: "instructions" })] };
    await expect(
      storeOf(home).patch("a", { instructions: "Use [redacted], briefly." }),
    ).rejects.toMatchObject(refused);
    expect(readFileSync(join(home, "profiles", "a", "SOUL.md"), "utf8")).toBe("Use sk-one-secret.\n");
    const said = { instructions: "[redacted] stays a word." };
    expect(await storeOf(home).patch("b", said)).toMatchObject(said);
  });

  test("only exactly `visible: false` hides", async () => {
    const home = newHome(
      {},
      { a: { "profile.yaml": "visible: 'false'" }, b: { "profile.yaml": "visible: no" } },
    );
    expect((await storeOf(home).list()).map(({ visible }) => visible)).toEqual([true, true, true]);
  });

  test("P-6 unreadable-env: a bad file is never overwritten, and the others stay as they are", async () => {
    const home = newHome(
      {},
      { a: { "config.yaml": "model: [\n", "profile.yaml": "x: 1\n", "SOUL.md": "s" } },
    );
    const folder = join(home, "profiles", "a");
    const refused = { code: "profile_unavailable" };
    await expect(
      storeOf(home).patch("a", { display_name: "x", instructions: "y", bot_name: "z" }),
    ).rejects.toMatchObject(refused);
    expect(
      ["config.yaml", "profile.yaml", "SOUL.md"].map((f) => readFileSync(join(folder, f), "utf8")),
    ).toEqual([...["model: [\n", "x: 1\n", "s"]]);
    writeFileSync(join(folder, ".env"), Buffer.from([0x41, 0x3d, 0xff, 0xfe]));
    await expect(storeOf(home).setKey("a", "B", "1")).rejects.toMatchObject(refused);
    writeFileSync(join(folder, ".env"), `A=1\n#${"x".repeat(1024 * 1024)}\n`);
    await expect(storeOf(home).setKey("a", "B", "1")).rejects.toMatchObject({
      ...refused,
      message: '.env of profile "a" is larger than 256 KB',
    });
    expect(statSync(join(folder, ".env")).size).toBeGreaterThan(1024 * 1024);
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  test("a pipe in place of a file holds nobody up", async () => {
    const home = newHome({}, { a: {} });
    execFileSync("mkfifo", [join(home, "profiles", "a", ".env")]);
    expect(await storeOf(home).get("a")).toMatchObject({ state: "unavailable" });
    await expect(storeOf(home).setKey("a", "B", "1")).rejects.toMatchObject({ code: "profile_unavailable" });
  });

  test("what another program saves while we edit is kept: the edit begins anew", async () => {
    const home = newHome({ ".env": "A=1\n" });
    const path = join(home, ".env");
    let saves = 0;
    // It knows nothing of our lock, and its save is as long as what it replaces.
    const change = (text: string): string => {
      if (saves < 2) writeFileSync(path, text.replace(/A=./, `A=${++saves + 1}`));
      return `${text}B=1\n`;
    };
    await editFiles(home, "default", [{ file: ".env", maxBytes: 1000, change }]);
    expect(readFileSync(path, "utf8")).toBe("A=3\nB=1\n");
    const always = (text: string): string => {
      writeFileSync(path, `${text}#\n`);
      return "ours";
    };
    await expect(
      editFiles(home, "default", [{ file: ".env", maxBytes: 1000, change: always }]),
    ).rejects.toMatchObject({ code: "conflict" });
    expect(readFileSync(path, "utf8")).toMatch(/^A=3\nB=1\n(#\n)+$/);
    expect(readdirSync(home)).toEqual([".env"]);
  });
});

describe("the root's two names", () => {
  test("its display name means the same profile, and nobody else can have it", async () => {
    const home = newHome({}, { a: {} });
    const store = storeOf(home);
    await store.patch("default", { display_name: "kinni" });
    expect(await store.canonical("kinni")).toBe("default");
    expect(await store.get("kinni")).toMatchObject({
      name: "default",
      display_name: "kinni",
      is_default: true,
    });
    await expect(store.create({ name: "kinni" })).rejects.toMatchObject({ code: "profile_exists" });
    await expect(store.patch("default", { display_name: "a" })).rejects.toMatchObject({
      code: "profile_exists",
    });
    await expect(store.remove("kinni")).rejects.toMatchObject({ code: "forbidden" });
    await expect(store.canonical("nobody")).rejects.toMatchObject({ code: "profile_not_found" });
  });
});

describe("P-1 profile-name-traversal", () => {
  test.each(["../x", "a/b", "A", "x\n", ".", "", "a".repeat(65), ".trash-1", "missing"])(
    "%j",
    async (name) => {
      const home = newHome({}, { x: { ".env": "A=1\n" } });
      const store = storeOf(home);
      const missing = { code: "profile_not_found" };
      await expect(store.get(name)).rejects.toMatchObject(missing);
      await expect(store.canonical(name)).rejects.toMatchObject(missing);
      await expect(store.patch(name, { bot_name: "x" })).rejects.toMatchObject(missing);
      await expect(store.setKey(name, "A", "x")).rejects.toMatchObject(missing);
      await expect(store.unsetKey(name, "A")).rejects.toMatchObject(missing);
      await expect(store.remove(name)).rejects.toMatchObject(missing);
      expect(readdirSync(home).sort()).toEqual(["profiles", "talaria"]);
      expect(readdirSync(join(home, "profiles"))).toEqual(["x"]);
      expect(readFileSync(join(home, "profiles", "x", ".env"), "utf8")).toBe("A=1\n");
    },
  );

  test("links: a profile that is one, and files that lead out, are neither read nor written", async () => {
    const outside = newHome({ ".env": "STOLEN_KEY=secret\n", "config.yaml": "bot_name: Eve\n" });
    const home = newHome({}, { a: {} });
    symlinkSync(outside, join(home, "profiles", "link"));
    for (const file of [".env", "config.yaml"])
      symlinkSync(join(outside, file), join(home, "profiles", "a", file));
    const store = storeOf(home);
    for (const act of [
      store.get("link"),
      store.setKey("link", "A", "x"),
      store.remove("link"),
      store.patch("link", { bot_name: "x" }),
    ])
      await expect(act).rejects.toMatchObject({ code: "profile_not_found" });
    await expect(store.create({ name: "link" })).rejects.toMatchObject({ code: "profile_exists" });
    await expect(store.create({ name: "n", clone_from: "link" })).rejects.toMatchObject({
      code: "profile_not_found",
    });
    await expect(store.create({ name: "n", clone_from: "a" })).rejects.toMatchObject({
      code: "profile_unavailable",
    });
    expect(await store.get("a")).toMatchObject({ state: "unavailable", keys: [], bot_name: null });
    await expect(store.setKey("a", "A", "x")).rejects.toMatchObject({ code: "profile_unavailable" });
    await expect(store.patch("a", { bot_name: "x" })).rejects.toMatchObject({ code: "profile_unavailable" });
    expect(readFileSync(join(outside, ".env"), "utf8")).toBe("STOLEN_KEY=secret\n");
    expect(readFileSync(join(outside, "config.yaml"), "utf8")).toBe("bot_name: Eve\n");
    expect(lstatSync(join(home, "profiles", "a", ".env")).isSymbolicLink()).toBe(true);
  });

  test("a link inside the profile is edited at its target", async () => {
    const home = newHome({}, { a: { "conf/env": "A=1\n" } });
    const link = join(home, "profiles", "a", ".env");
    symlinkSync("conf/env", link);
    await storeOf(home).setKey("a", "B", "2");
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(home, "profiles", "a", "conf", "env"), "utf8")).toBe("A=1\nB=2\n");
  });
});

describe("deleting", () => {
  test("the folder goes, what its links lead to stays, and so does everything else", async () => {
    const outside = newHome({ "precious.txt": "x" });
    const home = newHome(
      { "config.yaml": "a: 1" },
      { a: { "state.db": "x", "skills/s/SKILL.md": "x" }, b: {} },
    );
    symlinkSync(outside, join(home, "profiles", "a", "out"));
    writeFiles(join(home, "profiles", ".trash-left"), { old: "x" });
    await storeOf(home).remove("a");
    expect(readdirSync(join(home, "profiles"))).toEqual(["b"]);
    expect(existsSync(join(outside, "precious.txt"))).toBe(true);
    await expect(storeOf(home).remove("a")).rejects.toMatchObject({ code: "profile_not_found" });
  });

  test("a second name of a profile goes alone", async () => {
    const home = newHome({}, { a: { ".env": "A=1\n" } });
    symlinkSync("a", join(home, "profiles", "alias"));
    await storeOf(home).remove("alias");
    expect(readFileSync(join(home, "profiles", "a", ".env"), "utf8")).toBe("A=1\n");
  });
});

describe("P-4 the configuration revision", () => {
  test("changes with each file, comes back with its content, and cannot be tried without the salt", async () => {
    const home = newHome({}, { a: { "config.yaml": "model: m", ".env": "K=one", "SOUL.md": "s" } });
    const now = async (): Promise<string> => (await profileTerms(home, "a", SALT)).revision;
    const first = await now();
    const seen = new Set([first]);
    for (const [file, text] of [
      ["config.yaml", "model: n"],
      [".env", "K=two"],
      [".env", "L=two"],
      ["SOUL.md", "t"],
    ] as const) {
      writeFiles(join(home, "profiles", "a"), { [file]: text });
      seen.add(await now());
    }
    expect(seen.size).toBe(5);
    writeFiles(join(home, "profiles", "a"), {
      "config.yaml": "model: m",
      ".env": "# c\nK=one",
      "SOUL.md": "s",
    });
    expect(await now()).toBe(first);
    expect(first).toMatch(/^[A-Za-z0-9_-]{16}$/);
    const files = await readFiles(home, "a");
    expect(revisionOf(new Uint8Array(32), files, parseEnvFile(files.dotenv).env)).not.toBe(first);
  });

  test("processes that make the salt together get the same one", async () => {
    const path = join(newHome(), "talaria", "salt");
    const salts = await Promise.all(Array.from({ length: 8 }, () => loadSalt(path)));
    expect(new Set(salts.map((salt) => Buffer.from(salt).toString("hex"))).size).toBe(1);
    expect(salts[0]).toHaveLength(32);
    expect(modeOf(path)).toBe(0o600);
    expect(readdirSync(join(path, ".."))).toEqual(["salt"]);
  });
});

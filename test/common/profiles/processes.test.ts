import { mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import Database from "better-sqlite3";
import { resolveProfile } from "../../../common/profiles/resolve.ts";
import { endProcesses, startProcess } from "../../helpers/process.ts";
import { newHome, storeOf } from "./homes.ts";

afterAll(() => endProcesses());

const COUNT = 25;
const ENV = "# mine\nOPENAI_API_KEY=one # keep\n\n# the others\nTWO=2\nTHREE='drei'\n";
const CONFIG = "# settings of mine\nmodel: my-model # the model\nids: [123456789012345678901] # long\n";

test("P-3 env-file-rewrite: clients in several processes save different keys at once, nothing is lost", async () => {
  const home = newHome({}, { a: { ".env": ENV, "config.yaml": CONFIG } });
  const editor = "test/common/profiles/editor.ts";
  const editors = await Promise.all(
    ["1", "2"].map((tag) => startProcess(editor, {}, [home, tag, `${COUNT}`])),
  );
  for (const one of editors) one.signal("SIGUSR2");
  // And two more in here.
  const store = storeOf(home);
  const here = Array.from({ length: COUNT }, (_, i) => store.setKey("a", `HERE_${i}`, `v${i}`));
  await Promise.all([...here, ...editors.map((one) => one.says("all saved"))]);

  const path = join(home, "profiles", "a", ".env");
  const { env, agent, botName, model } = await resolveProfile(home, "a");
  for (let i = 0; i < COUNT; i++)
    expect(env).toMatchObject({
      [`KEY_1_${i}`]: `value-${i}`,
      [`KEY_2_${i}`]: `value-${i}`,
      [`HERE_${i}`]: `v${i}`,
    });
  expect(Object.keys(env)).toHaveLength(3 * COUNT + 3);
  expect(readFileSync(path, "utf8").startsWith(ENV)).toBe(true);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect([agent.maxSteps, botName, model.model]).toEqual([COUNT, `bot ${COUNT - 1}`, "my-model"]);
  const config = readFileSync(join(home, "profiles", "a", "config.yaml"), "utf8");
  for (const comment of ["# settings of mine", "# the model", "# long", "123456789012345678901"])
    expect(config).toContain(comment);
  await Promise.all(editors.map((one) => one.kill()));
});

test("a process that is killed inside an edit locks nobody out and leaves no half file", async () => {
  const home = newHome({}, { a: { ".env": ENV } });
  const editor = await startProcess("test/common/profiles/editor.ts", {}, [home, "1", "100000"]);
  editor.signal("SIGUSR2");
  const path = join(home, "profiles", "a", ".env");
  while (!readFileSync(path, "utf8").includes("KEY_1_3=")) await storeOf(home).list();
  await editor.kill();
  await storeOf(home).setKey("a", "AFTER", "1");
  const { env } = await resolveProfile(home, "a");
  expect(env).toMatchObject({ AFTER: "1", KEY_1_3: "value-3", THREE: "drei" });
});

test("who holds the lock too long makes others give up, and nothing is written", async () => {
  const home = newHome({ ".env": "A=1\n" });
  mkdirSync(join(home, "talaria"));
  const holder = new Database(join(home, "talaria", "profiles.lock"));
  holder.exec("begin immediate");
  const { createLock } = await import("../../../common/profiles/lock.ts");
  const lock = createLock(join(home, "talaria", "profiles.lock"), 100);
  await expect(lock(async () => "never")).rejects.toMatchObject({ code: "store_unavailable" });
  holder.close();
  await expect(lock(async () => "now")).resolves.toBe("now");
});

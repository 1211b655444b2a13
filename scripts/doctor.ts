/** `npm run doctor`: looks at a deployment and says in plain words what is wrong. Changes nothing; exit code 1 on problems. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isTalariaError, messageOf } from "../common/base/errors.ts";
import { homeOf, loadConfig } from "../common/config/load.ts";
import type { Config } from "../common/config/schema.ts";
import { listProfiles } from "../common/profiles/names.ts";
import type { ProfileModel } from "../common/profiles/port.ts";
import { resolveProfile } from "../common/profiles/resolve.ts";
import { type Finding, fail, ok, warn } from "./doctor/finding.ts";
import { checkRedis } from "./doctor/redis.ts";
import { checkDatabase, checkEnvMode, checkHome, checkSqlite } from "./doctor/stores.ts";
import { isPinnedVersion, packagesAreCurrent } from "./setup/packages.mjs";
import { isFree } from "./setup/redis.mjs";

const NO_REDIS_URL = "redis://private.invalid";

const main = async (): Promise<void> => {
  const { config, problems } = readConfig();
  const home = homeOf(process.env);
  const stateDir = join(home, "talaria");
  const redisUrl = config === null || config.redis.url === NO_REDIS_URL ? null : config.redis.url;
  const findings = [
    ...checkRuntime(),
    ...problems,
    await checkHome(home),
    checkSqlite(),
    ...(await checkRedis(redisUrl, stateDir)),
    ...[checkDatabase(join(stateDir, "talaria.db"))].filter((finding) => finding !== null),
    ...(await checkProfiles(home)),
    ...(config === null ? [] : [checkMaintenance(config), await checkPort(config, stateDir)]),
  ];
  for (const { level, about, text } of findings)
    console.log(`${level.padEnd(4)}  ${about.padEnd(9)} ${text}`);
  const failed = findings.filter(({ level }) => level === "fail").length;
  console.log(failed === 0 ? "\nReady." : `\n${failed} ${failed === 1 ? "problem" : "problems"} to solve.`);
  process.exitCode = failed === 0 ? 0 : 1;
};

const readConfig = (): { readonly config: Config | null; readonly problems: readonly Finding[] } => {
  try {
    const config = loadConfig(process.env, { fallbackRedisUrl: NO_REDIS_URL });
    return { config, problems: [ok("Settings", "environment and config.yaml are understood")] };
  } catch (error) {
    if (!isTalariaError(error, "config_invalid")) throw error;
    return { config: null, problems: error.message.split("\n").map((line) => fail("Settings", line)) };
  }
};

const checkRuntime = (): readonly Finding[] => [
  isPinnedVersion()
    ? ok("Node", process.version)
    : warn("Node", `${process.version} is not the pinned version; use the npm scripts`),
  packagesAreCurrent()
    ? ok("Packages", "are those of package-lock.json")
    : fail("Packages", "are not those of package-lock.json: run `npm ci --include=dev`"),
];

const checkProfiles = async (home: string): Promise<readonly Finding[]> => {
  const names = await listProfiles(home).catch((error: unknown) => fail("Profiles", messageOf(error)));
  if (!Array.isArray(names)) return [names as Finding];
  return (await Promise.all(names.map((name: string) => checkProfile(home, name)))).flat();
};

const checkProfile = async (home: string, name: string): Promise<readonly Finding[]> => {
  try {
    const profile = await resolveProfile(home, name);
    const optional = [checkDatabase(join(profile.home, "state.db")), await checkEnvMode(profile.home)];
    return [
      judgeModel(name, profile.model),
      ...profile.warnings.map((text) => warn("Keys", `profile "${name}": ${text}`)),
      ...profile.mcp.warnings.map((text) => warn("MCP", `profile "${name}": ${text}`)),
      ...optional.filter((finding) => finding !== null),
    ];
  } catch (error) {
    return [fail("Model", messageOf(error))];
  }
};

const judgeModel = (name: string, { provider, model, baseUrl, apiKey }: ProfileModel): Finding => {
  const what = `profile "${name}": ${provider}${model === "" ? "" : ` ${model}`}${baseUrl === null ? "" : ` at ${baseUrl}`}`;
  if (provider === "demo")
    return ok("Model", `profile "${name}": built-in demo (no provider in config.yaml)`);
  if (provider === "custom" && baseUrl === null) return fail("Model", `${what}: base_url is missing`);
  if (apiKey !== null) return ok("Model", `${what}, key set`);
  return provider === "custom"
    ? ok("Model", `${what}, without a key (OPENAI_API_KEY in .env, if the server wants one)`)
    : fail("Model", `${what}: its key is missing in .env`);
};

const checkMaintenance = ({ worker: { queues } }: Config): Finding =>
  queues.includes("maintenance")
    ? ok("Workers", "those of these settings do maintenance, too")
    : warn(
        "Workers",
        "those of these settings do no maintenance (TALARIA_QUEUES): another one must, or Redis fills up",
      );

const checkPort = async ({ http }: Config, stateDir: string): Promise<Finding> => {
  const where = `${http.port} of ${http.host}`;
  if (http.port === 0 || (await isFree(http.port, http.host))) return ok("Port", `${where} is free`);
  return urlOfStart(stateDir).endsWith(`:${http.port}`)
    ? ok("Port", `${where} is ours: Talaria runs`)
    : fail("Port", `${where} is taken by another program: set PORT`);
};

/** What a running `npm start` of this home wrote down; "" without one. */
const urlOfStart = (stateDir: string): string => {
  try {
    const { url } = JSON.parse(readFileSync(join(stateDir, "start.json"), "utf8")) as { url?: unknown };
    return typeof url === "string" ? url.replace(/\/$/, "") : "";
  } catch {
    return "";
  }
};

await main();

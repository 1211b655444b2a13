/** `npm run import -- hermes-webui <folder>`: sessions of another program become ours. Exit code 1 if a file was refused. */
import { join, resolve } from "node:path";
import { isTalariaError } from "../common/base/errors.ts";
import { loadConfig } from "../common/config/load.ts";
import { listProfiles } from "../common/profiles/names.ts";
import { startStoreThread } from "../common/sqlite/client.ts";
import type { StateDbReadOps } from "../common/state-db/read/port.ts";
import { parseArguments, UsageError } from "./import/arguments.ts";
import { openSessionsFolder } from "./import/folder.ts";
import { type FileResult, reportJson, resultLine, summarise, summaryLine } from "./import/report.ts";
import { runImport } from "./import/run.ts";
import { withTarget } from "./import/target.ts";

const main = async (): Promise<number> => {
  const { folder: given, dryRun, profile, json } = parseArguments(process.argv.slice(2));
  // Redis takes no part in this.
  const { home, stateDir } = loadConfig(process.env, { fallbackRedisUrl: "redis://private.invalid" });
  const profiles = await listProfiles(home);
  if (profile !== null && !profiles.includes(profile))
    throw new UsageError(`there is no profile ${JSON.stringify(profile)} here`);
  // npm runs scripts in the project's folder and says where it was called.
  const folder = await openSessionsFolder(resolve(process.env.INIT_CWD ?? "", given));

  const module = new URL("../common/state-db/read/module.ts", import.meta.url);
  const store = await startStoreThread<StateDbReadOps>(module, "read", {});
  const results: FileResult[] = [];
  try {
    await withTarget(join(stateDir, "talaria.db"), dryRun, async (target) => {
      const deps = { folder, home, profiles, profile, store: store.call, target, dryRun };
      for await (const result of runImport(deps)) {
        results.push(result);
        if (!json) console.log(resultLine(result));
      }
    });
  } finally {
    await store.close();
  }
  const summary = summarise(results);
  console.log(json ? reportJson(results) : `\n${summaryLine(summary)}`);
  return summary.refused === 0 ? 0 : 1;
};

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError) && !isTalariaError(error)) throw error;
  console.error(error.message);
  process.exitCode = error instanceof UsageError || error.code === "config_invalid" ? 2 : 1;
}

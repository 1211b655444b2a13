/**
 * Runs one of our programs on the pinned Node: `node scripts/run.mjs <entry> [arguments]`. Installs packages first when
 * they are missing, so that a fresh clone can run it.
 */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { ensurePackages, isPinnedVersion, ROOT, runPinned } from "./setup/packages.mjs";
import { checkNode, failWith, SetupError } from "./setup/steps.mjs";

const main = async () => {
  checkNode();
  const [entry, ...args] = process.argv.slice(2);
  if (entry === undefined) throw new SetupError("usage: node scripts/run.mjs <entry> [arguments]");
  const path = resolve(ROOT, entry);
  await ensurePackages();
  if (!isPinnedVersion()) {
    process.exitCode = await runPinned([path, ...args]);
    return;
  }
  process.argv = [process.execPath, path, ...args];
  await import(pathToFileURL(path).href);
};

main().catch(failWith);

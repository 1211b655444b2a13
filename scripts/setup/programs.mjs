import { spawnSync } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { runStep, SetupError } from "./steps.mjs";

/** Path of the first of these programs on the PATH; null when there is none. */
export const findProgram = (names, path = process.env.PATH ?? "") => {
  for (const name of names)
    for (const folder of [...path.split(delimiter), "/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin"]) {
      const file = join(folder, name);
      try {
        accessSync(file, constants.X_OK);
        if (folder !== "" && statSync(file).isFile()) return file;
      } catch {
        // Not here.
      }
    }
  return null;
};

/**
 * Finds a program, or installs it with Debian's or Homebrew's package manager when that needs no password.
 * Otherwise rejects with the command to run.
 */
export const ensureProgram = async ({ what, names, apt, brew }) => {
  const found = findProgram(names);
  if (found !== null) return found;
  const manual = [`${what} was not found (looked for ${names.join(", ")}). Install it, then start again:`];
  if (findProgram(["apt-get"]) !== null) {
    const prefix = rootPrefix();
    if (prefix !== null) await installWithApt(what, prefix, apt);
    manual.push(`  sudo apt-get update && sudo apt-get install -y ${apt[0]}`);
  } else if (findProgram(["brew"]) !== null) {
    await runStep(`Installing ${what} (brew install ${brew})`, "brew", ["install", brew]);
    manual.push(`  brew install ${brew}`);
  } else manual.push(`  with your system's package manager (package ${apt[0]} or ${brew})`);
  const installed = findProgram(names);
  if (installed === null) throw new SetupError(manual.join("\n"));
  return installed;
};

/** [] as root, ["sudo", "-n"] where sudo asks for no password, null otherwise. */
const rootPrefix = () => {
  if (process.getuid?.() === 0) return [];
  if (findProgram(["sudo"]) === null) return null;
  return spawnSync("sudo", ["-n", "true"], { stdio: "ignore" }).status === 0 ? ["sudo", "-n"] : null;
};

const installWithApt = async (what, prefix, packages) => {
  const run = (title, ...args) => {
    const [command, ...rest] = [...prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", ...args];
    return runStep(title, command, rest);
  };
  await run("Refreshing the package list (apt-get update)", "update");
  let last;
  for (const name of packages)
    try {
      return await run(
        `Installing ${what} (apt-get install ${name})`,
        "install",
        "-y",
        "--no-install-recommends",
        name,
      );
    } catch (error) {
      last = error;
    }
  throw last;
};

export const ensureRedisServer = () =>
  ensureProgram({
    what: "A Redis server",
    names: ["redis-server", "valkey-server"],
    apt: ["redis-server", "valkey-server"],
    brew: "redis",
  });

/** Tests write and change state.db files with an independent program in Python. */
export const ensurePython = () =>
  ensureProgram({ what: "Python 3 (for the tests)", names: ["python3"], apt: ["python3"], brew: "python" });

export const CHROMIUM_NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
export const ensureChromium = () =>
  ensureProgram({
    what: "Chromium (for the browser tests)",
    names: CHROMIUM_NAMES,
    apt: ["chromium", "chromium-browser"],
    brew: "chromium",
  });

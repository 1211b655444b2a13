import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runStep, SetupError, say } from "./steps.mjs";

/** Runs on any Node >= 20 without packages, like everything in this folder that ends in .mjs. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const STAMP = "node_modules/.talaria-lock";

/** The Node this project is pinned to; exists once packages are installed. */
export const pinnedNode = (root = ROOT) => join(root, "node_modules", "node", "bin", "node");

/** True when this very process runs the pinned version. */
export const isPinnedVersion = (root = ROOT) => {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  return process.version === `v${lock.packages["node_modules/node"].version}`;
};

/**
 * True when what is installed is what package-lock.json names. The hash answers in the usual case; without it (installed
 * by hand) npm's own record of the installed tree is compared, so nothing is installed twice.
 */
export const packagesAreCurrent = (root = ROOT) => {
  const text = readFileSync(join(root, "package-lock.json"), "utf8");
  const hash = createHash("sha256").update(text).digest("hex");
  const stamp = join(root, STAMP);
  const record = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(record) || !existsSync(pinnedNode(root))) return false;
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === hash) return true;
  const installed = JSON.parse(readFileSync(record, "utf8")).packages;
  const wanted = Object.entries(JSON.parse(text).packages).filter(
    ([path, entry]) => path !== "" && !entry.optional,
  );
  if (!wanted.every(([path, entry]) => installed[path]?.version === entry.version)) return false;
  writeFileSync(stamp, hash);
  return true;
};

/** Installs the packages when they are missing or out of date. Rejects with a message for people. */
export const ensurePackages = async (root = ROOT) => {
  if (packagesAreCurrent(root)) return;
  const options = { cwd: root, env: { ...process.env, PATH: pathWithout(join(root, "node_modules")) } };
  const flags = ["--include=dev", "--no-audit", "--no-fund"];
  try {
    await runStep("Installing packages (npm ci)", "npm", ["ci", ...flags], options);
  } catch (error) {
    // npm ci insists on knowing the optional packages of every other platform, which a partial mirror cannot tell.
    say(`${error.message.split("\n", 1)[0]}; trying npm install.`);
    await runStep("Installing packages (npm install)", "npm", ["install", "--no-save", ...flags], options);
  }
  if (!existsSync(pinnedNode(root)))
    throw new SetupError(
      "npm ci did not install Node (package `node`): are install scripts switched off (ignore-scripts)?",
    );
  writeFileSync(
    join(root, STAMP),
    createHash("sha256")
      .update(readFileSync(join(root, "package-lock.json")))
      .digest("hex"),
  );
};

/** npm ci removes node_modules: npm must not run on the Node in there, unless there is no other. */
const pathWithout = (folder) => {
  const parts = (process.env.PATH ?? "").split(delimiter);
  const outside = parts.filter((part) => !part.startsWith(folder));
  return (outside.some((part) => existsSync(join(part, "node"))) ? outside : parts).join(delimiter);
};

/**
 * Runs a program of ours with the pinned Node, in the foreground: terminal shared, stop signals passed on. Resolves with
 * its exit code (128 + signal number when a signal ended it).
 */
export const runPinned = (args, { root = ROOT, env = process.env } = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(pinnedNode(root), args, { cwd: process.cwd(), stdio: "inherit", env });
    const pass = (signal) => child.kill(signal);
    // A terminal sends Ctrl-C to the child as well; passing it on would make two of it.
    const passInterrupt = (signal) => process.stdin.isTTY || child.kill(signal);
    process.on("SIGTERM", pass).on("SIGHUP", pass).on("SIGINT", passInterrupt);
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      process.off("SIGTERM", pass).off("SIGHUP", pass).off("SIGINT", passInterrupt);
      resolve(code ?? 128 + (SIGNAL_NUMBERS[signal] ?? 0));
    });
  });

const SIGNAL_NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

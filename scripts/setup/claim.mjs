import { spawnSync } from "node:child_process";
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SetupError, say } from "./steps.mjs";
import { signalGroup } from "./supervise.mjs";

const LEFTOVER_LIMIT_MS = 15_000;

/**
 * One `npm start` per home. Writes `<stateDir>/start.json` with our pid; rejects when another start of this home is alive.
 * Processes that a killed start left behind end by themselves when they notice: waits for them, then ends them.
 */
export const claimHome = async (stateDir) => {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const file = join(stateDir, "start.json");
  const state = { pid: process.pid, url: null, children: {} };
  const draft = `${file}.${process.pid}`;
  /** Whole or not at all: half a file would look like nobody's. */
  const put = (place) => {
    writeFileSync(draft, JSON.stringify(state), { mode: 0o600 });
    try {
      place();
    } finally {
      rmSync(draft, { force: true });
    }
  };
  for (;;)
    try {
      put(() => linkSync(draft, file));
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw new SetupError(`${stateDir} cannot be written: ${error.message}`);
      const last = readClaim(file);
      if (last !== null && runs(last.pid, "start.mjs"))
        throw new SetupError(
          `Talaria already runs on this home (process ${last.pid}${last.url === null ? "" : `, ${last.url}`}).\n` +
            "Stop it first, or set TALARIA_HOME and PORT for a second one.",
        );
      if (last !== null) await endLeftovers(last.children ?? {});
      rmSync(file, { force: true });
    }
  return {
    /** Remembers what runs now, for whoever comes after a kill. */
    update: (change) => {
      Object.assign(state.children, change.children ?? {});
      if (change.url !== undefined) state.url = change.url;
      put(() => renameSync(draft, file));
    },
    release: () => rmSync(file, { force: true }),
  };
};

const readClaim = (file) => {
  try {
    const claim = JSON.parse(readFileSync(file, "utf8"));
    return Number.isInteger(claim.pid) ? claim : null;
  } catch {
    return null;
  }
};

const endLeftovers = async (children) => {
  const alive = () => Object.entries(children).filter(([name, pid]) => runs(pid, entryOf(name)));
  const end = Date.now() + LEFTOVER_LIMIT_MS;
  if (alive().length > 0) say("Waiting for the processes of an earlier start to end …");
  while (alive().length > 0 && Date.now() < end) await sleep(100);
  for (const [, pid] of alive()) signalGroup(pid, "SIGKILL");
};

const entryOf = (name) => (name === "worker" ? "workers/main.ts" : `${name}/main.ts`);

/** True when the process lives and its command line names the program: pids are used again. */
const runs = (pid, program) => {
  if (!Number.isInteger(pid) || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code === "ESRCH") return false;
  }
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(program);
  } catch {
    const { stdout, status } = spawnSync("ps", ["-o", "command=", "-p", String(pid)], { encoding: "utf8" });
    return status === 0 && stdout.includes(program);
  }
};

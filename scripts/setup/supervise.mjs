import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { say } from "./steps.mjs";

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5000;
/** A process that ran this long did not fail at its start: the next restart is quick again. */
const HEALTHY_MS = 3000;
const FAILURES_BEFORE_READY = 5;
/** Exit code of a process whose configuration is wrong: starting it again changes nothing. */
const EX_CONFIG = 78;

/**
 * Keeps one process running: starts it again when it dies, after 200 ms, then twice as long each time, 5 s at most.
 * `launch` spawns it as the leader of a process group of its own. `giveUp(reason)` is called when it cannot be started at
 * all: wrong configuration, or five failures before anything was ready. `onStart(child)` sees every start.
 */
export const supervise = ({ name, launch, log, isReady, giveUp, onStart }) => {
  let child = null;
  let stopping = false;
  let failures = 0;
  /** Ends the pause before a restart. */
  const stopped = new AbortController();

  const run = async () => {
    while (!stopping) {
      const startedAt = Date.now();
      child = launch();
      const current = child;
      const ended = exitOf(child);
      log?.attach(child);
      onStart?.(child);
      const { code, signal, error } = await ended;
      child = null;
      // What it started and left in its group must not act on without it.
      if (current.pid !== undefined) signalGroup(current.pid, "SIGKILL");
      if (stopping) return;
      if (Date.now() - startedAt > HEALTHY_MS) failures = 0;
      failures += 1;
      const reason = error?.message ?? signal ?? `exit code ${code}`;
      if (code === EX_CONFIG || (failures >= FAILURES_BEFORE_READY && !isReady())) {
        stopping = true;
        const intro =
          code === EX_CONFIG ? "The configuration is wrong:" : `${name} does not start (${reason}):`;
        giveUp([intro, ...(log?.tail() ?? [])].join("\n"));
        return;
      }
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS);
      say(`[${name}] ended (${reason}); starting it again in ${pauseMs} ms`);
      await sleep(pauseMs, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  };
  const running = run();

  return {
    name,
    get pid() {
      return child?.pid ?? null;
    },
    hasFailed: () => failures > 0 && child === null,
    /** Asks it to end, ends it by force after `limitMs`. Resolves with false when force was needed. */
    stop: async (limitMs) => {
      stopping = true;
      stopped.abort();
      const pid = child?.pid;
      if (pid === undefined) return true;
      child.kill("SIGTERM");
      const timer = new AbortController();
      const done = await Promise.race([
        running.then(() => true),
        sleep(limitMs, false, { signal: timer.signal, ref: true }).catch(() => false),
      ]);
      timer.abort();
      if (!done) signalGroup(pid, "SIGKILL");
      await running;
      return done;
    },
    kill: () => {
      stopping = true;
      stopped.abort();
      if (child?.pid !== undefined) signalGroup(child.pid, "SIGKILL");
    },
  };
};

/** Resolves when the process has ended and its last output was read (or will not come: 100 ms). */
const exitOf = (child) =>
  new Promise((resolve) => {
    child.once("error", (error) => resolve({ code: null, signal: null, error }));
    child.once("exit", async (code, signal) => {
      const closed = once(child, "close");
      await Promise.race([closed, sleep(100)]);
      resolve({ code, signal });
    });
  });

/** Signals a whole process group; one that is gone is fine. */
export const signalGroup = (pid, signal) => {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (error.code !== "ESRCH" && error.code !== "EPERM") throw error;
  }
};

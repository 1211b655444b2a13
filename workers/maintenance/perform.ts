import { beforeAbort } from "../../common/base/bounded-wait.ts";
import { isTalariaError, TalariaError } from "../../common/base/errors.ts";
import { isMaintenanceTask, MAINTENANCE, type MaintenanceTask } from "../../common/contracts/maintenance.ts";
import type { LifecycleDeps } from "../../common/lifecycle/deps.ts";
import type { Logger } from "../../common/logging/logger.ts";
import type { Passed, Task } from "./task.ts";

export interface PerformDeps {
  readonly write: Pick<
    LifecycleDeps["write"],
    "beginTask" | "renewTask" | "endTask" | "failTask" | "releaseTask"
  >;
  readonly tasks: Readonly<Record<MaintenanceTask, Task>>;
  /** Aborts when the worker hands its work back. */
  readonly handBack: AbortSignal;
  readonly log: Logger;
  readonly deadlineMsOf?: (task: MaintenanceTask) => number;
}

/** How long a dead worker keeps others from its task, in seconds; a living one renews. */
const LEASE_S = 10;
const RENEW_MS = 2_500;
/** Of the deadline, after which a pass leaves the rest to the next one. */
const SHARE = 0.5;

/**
 * Does the task of one tick (`tick`: the job's id), alone in the deployment: while another worker is at it, this tick has nothing to do.
 * How it went stands in talaria.db. Rejects when it failed or was handed back: the queue delivers the tick again after a while.
 */
export const createMaintenance =
  ({
    write,
    tasks,
    handBack,
    log,
    deadlineMsOf = (task) => MAINTENANCE[task].deadlineS * 1000,
  }: PerformDeps) =>
  async (name: string, tick: string): Promise<void> => {
    if (!isMaintenanceTask(name)) {
      log.info({ task: name }, "maintenance of another version of this program is left to it");
      return;
    }
    const begun = await write.beginTask(name, tick, LEASE_S);
    if (begun === null) {
      log.debug({ task: name }, "another worker is at this maintenance");
      return;
    }
    const { generation, mark } = begun;
    const overtaken = new AbortController();
    const renewal = setInterval(() => {
      write
        .renewTask(name, generation, LEASE_S)
        .then((mine) => {
          if (!mine) overtaken.abort(new TalariaError("stale_generation", "another worker took over"));
        })
        .catch((err: unknown) => log.debug({ err, task: name }, "maintenance was not renewed"));
    }, RENEW_MS);
    const deadlineMs = deadlineMsOf(name);
    const deadline = AbortSignal.timeout(deadlineMs);
    const signal = AbortSignal.any([deadline, overtaken.signal, handBack]);
    const startedMs = performance.now();
    const isOver = (): boolean => performance.now() - startedMs > SHARE * deadlineMs;
    try {
      const passed = await beforeAbort(tasks[name]({ mark, signal, isOver }), signal);
      // Overtaken at the last moment: what it did was harmless, and is the other one's to tell.
      if (!(await write.endTask(name, generation, passed.done, passed.mark ?? null))) return;
      tell(log, name, passed, performance.now() - startedMs);
    } catch (err) {
      if (handBack.aborted) {
        await write.releaseTask(name, generation);
        throw err;
      }
      const code = codeOf(err, deadline);
      log.warn({ err, task: name, reason: code }, "maintenance failed; it is tried again");
      await write
        .failTask(name, generation, code)
        .catch((error: unknown) => log.warn({ err: error, task: name }, "nor can it be noted"));
      throw err;
    } finally {
      clearInterval(renewal);
    }
  };

const tell = (log: Logger, task: MaintenanceTask, { done, more = {} }: Passed, ms: number): void => {
  const line = { task, done, ...more, ms: Math.round(ms) };
  // Four lines a minute that nothing was to be done would hide the others.
  if (done > 0) log.info(line, "maintenance done");
  else log.debug(line, "maintenance had nothing to do");
};

/** A word for operators: no text of an error, which may hold a path. */
const codeOf = (error: unknown, deadline: AbortSignal): string => {
  if (deadline.aborted) return "timeout";
  if (isTalariaError(error)) return error.code;
  const { code } = error as { code?: unknown };
  return typeof code === "string" && /^[A-Z][A-Z0-9_]{1,40}$/.test(code) ? code : "failed";
};

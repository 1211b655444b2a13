import { LOGIN_ABSOLUTE_MS, LOGIN_IDLE_MS } from "../../common/contracts/login-times.ts";
import type { LifecycleDeps } from "../../common/lifecycle/deps.ts";
import type { Task } from "./task.ts";

/** Rows of one transaction: others write between them. */
const BATCH = 500;
/** How long what became of background work and processes can be asked for, in seconds. */
const KEEP_JOBS_S = 7 * 24 * 3600;

/** Forgets idempotency keys, ended jobs and processes, and logins whose time is over. None of them counts any more before that. */
export const expireTask =
  ({
    write,
    now = Date.now,
  }: {
    readonly write: Pick<
      LifecycleDeps["write"],
      "forgetOldKeys" | "forgetJobs" | "forgetProcesses" | "forgetLogins"
    >;
    readonly now?: () => number;
  }): Task =>
  async ({ signal, isOver }) => {
    const all = async (forget: () => Promise<number>): Promise<number> => {
      let done = 0;
      for (;;) {
        signal.throwIfAborted();
        const gone = await forget();
        done += gone;
        if (gone < BATCH || isOver()) return done;
      }
    };
    const at = now();
    const keys = await all(() => write.forgetOldKeys(BATCH));
    const jobs = await all(() => write.forgetJobs(at / 1000 - KEEP_JOBS_S, BATCH));
    const processes = await all(() => write.forgetProcesses(at / 1000 - KEEP_JOBS_S, BATCH));
    const logins = await all(() => write.forgetLogins(at - LOGIN_ABSOLUTE_MS, at - LOGIN_IDLE_MS, BATCH));
    return { done: keys + jobs + processes + logins, more: { keys, jobs, processes, logins } };
  };

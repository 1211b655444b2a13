import { messageOf } from "../base/errors.ts";
import type { RefusalReason, Refused } from "./port.ts";

/** A refusal on its way out of a transaction; never leaves this room. */
export class RefusedError extends Error {
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, message: string) {
    super(message);
    this.name = "RefusedError";
    this.reason = reason;
  }
}

/** A named answer for whatever the file did. */
export const refusalOf = (error: unknown): Refused => ({
  status: "refused",
  reason: reasonOf(error),
  message: messageOf(error),
});

const reasonOf = (error: unknown): RefusalReason => {
  if (error instanceof RefusedError) return error.reason;
  const code = codeOf(error);
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) return "locked";
  if (code === "SQLITE_NOTADB") return "not_a_state_db";
  if (/^SQLITE_CORRUPT/.test(code)) return "corrupt";
  if (/^SQLITE_(FULL|IOERR_WRITE)/.test(code) || code === "ENOSPC") return "storage_full";
  if (/^SQLITE_(READONLY|PERM|AUTH)/.test(code) || ["EACCES", "EPERM", "EROFS"].includes(code))
    return "read_only";
  // A trigger of the file needs a module or tokenizer that this SQLite does not have.
  if (code === "SQLITE_ERROR" && /no such (module|tokenizer)/.test(messageOf(error))) return "read_only";
  return "unavailable";
};

/** SQLite's or the system's code of an error; "" without one. */
export const codeOf = (error: unknown): string => {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? code : "";
};

/**
 * Repeats `work` while somebody else holds the lock: short, jittered pauses, longer ones after 2 s (a.11). Blocks the
 * thread; throws SQLite's error once `limitMs` is over.
 */
export const waitForLock = <T>(limitMs: number, work: () => T): T => {
  const started = performance.now();
  for (;;)
    try {
      return work();
    } catch (error) {
      const waited = performance.now() - started;
      if (!/^SQLITE_(BUSY|LOCKED)/.test(codeOf(error)) || waited >= limitMs) throw error;
      const [least, most] = waited < 2000 ? [20, 150] : [250, 1000];
      pause(Math.min(least + Math.random() * (most - least), Math.max(limitMs - waited, 1)));
    }
};

/** Blocks the thread: for SQLite threads only. */
export const pause = (ms: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
};

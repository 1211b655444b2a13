import type { Journal } from "../../common/journal/port.ts";
import type { LifecycleDeps } from "../../common/lifecycle/deps.ts";
import type { Task } from "./task.ts";

const BATCH = 200;
/** Archives become visible a moment after the time that they bear; ones this young are looked at again, in milliseconds. */
const YOUNG_MS = 60_000;

/**
 * Trims the journals of the sessions whose archived runs have been in Redis for `retentionMs` (run-events R-24). The mark is the time of
 * the last archive that was looked at, so that what came due while nobody ran is trimmed, too. One session at a time: Redis does
 * a small transaction for each, and runs' appends go between them.
 */
export const trimTask =
  ({
    read,
    journal,
    retentionMs,
    now = Date.now,
  }: {
    readonly read: Pick<LifecycleDeps["read"], "sessionsArchived">;
    readonly journal: Pick<Journal, "trim">;
    readonly retentionMs: number;
    readonly now?: () => number;
  }): Task =>
  async ({ mark, signal, isOver }) => {
    const until = now() - retentionMs;
    let reached = mark ?? 0;
    let done = 0;
    for (;;) {
      const { sessionIds, toMs, more } = await read.sessionsArchived(reached, until, BATCH);
      for (const sessionId of sessionIds) {
        signal.throwIfAborted();
        done += await journal.trim(sessionId, until);
      }
      reached = toMs;
      if (!more || isOver()) break;
    }
    return { done, mark: Math.max(mark ?? 0, Math.min(reached, now() - YOUNG_MS)) };
  };

import { isTalariaError } from "../../common/base/errors.ts";
import type { Journal } from "../../common/journal/port.ts";
import type { LifecycleDeps } from "../../common/lifecycle/deps.ts";
import type { Logger } from "../../common/logging/logger.ts";
import type { Task } from "./task.ts";

const BATCH = 500;
/** Commits do not become visible in the order of their times: ends this young are looked at again, in seconds. */
const YOUNG_S = 60;

/**
 * Archives the events of ended runs that have no archive yet, the oldest first (DESIGN 5). What Redis has lost of them, or what cannot be
 * read, keeps nothing up: the mark goes on behind it.
 */
export const archiveTask =
  ({
    read,
    journal,
    log,
    nowS = () => Date.now() / 1000,
  }: {
    readonly read: Pick<LifecycleDeps["read"], "endedRuns" | "oldestUntoldEnd">;
    readonly journal: Pick<Journal, "archive">;
    readonly log: Logger;
    readonly nowS?: () => number;
  }): Task =>
  async ({ mark, signal, isOver }) => {
    // Looked at before the runs: one whose end is told in between is found again, not passed over.
    const untold = await read.oldestUntoldEnd();
    const settled = Math.min(nowS() - YOUNG_S, untold === null ? Number.POSITIVE_INFINITY : untold - 1);
    let place = { ended_at: mark ?? 0, id: "" };
    let done = 0;
    for (;;) {
      const ended = await read.endedRuns(place.ended_at, place.id, BATCH);
      for (const { id, session_id, unarchived } of ended) {
        signal.throwIfAborted();
        if (unarchived === 0) continue;
        try {
          if (await journal.archive(session_id, id)) done += 1;
        } catch (err) {
          if (isTalariaError(err, "redis_unavailable") || isTalariaError(err, "store_unavailable")) throw err;
          log.error({ err, run: id, session: session_id }, "a run's events cannot be archived");
        }
      }
      place = ended.at(-1) ?? place;
      if (ended.length < BATCH || isOver()) break;
    }
    // A moment before it: others may have ended in the same one.
    return { done, mark: Math.max(mark ?? 0, Math.min(place.ended_at - 0.001, settled)) };
  };

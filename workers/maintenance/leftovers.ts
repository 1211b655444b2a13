import type { Journal } from "../../common/journal/port.ts";
import type { LifecycleDeps } from "../../common/lifecycle/deps.ts";
import type { Task } from "./task.ts";

/** Deleted sessions of one pass, and of one question to Redis. */
const PASS = 5_000;
const BATCH = 250;
/** What is younger may still be somebody's, in milliseconds. */
const OLD_MS = 24 * 3_600_000;

/**
 * Removes the journals of deleted sessions that were left because Redis was away when they were deleted, some of all tombstones in each
 * pass and round again, and what `removeFiles` finds.
 */
export const leftoversTask =
  ({
    read,
    journal,
    removeFiles,
  }: {
    readonly read: Pick<LifecycleDeps["read"], "buriedSessions">;
    readonly journal: Pick<Journal, "heads" | "remove">;
    /** Files that nothing was done to for so many milliseconds; resolves with how many. */
    readonly removeFiles: (olderThanMs: number) => Promise<number>;
  }): Task =>
  async ({ mark, signal, isOver }) => {
    let place: number | null = mark ?? 0;
    let journals = 0;
    for (let seen = 0; seen < PASS && place !== null && !isOver(); seen += BATCH) {
      const buried = await read.buriedSessions(place, BATCH);
      const heads = await journal.heads(buried.map(({ session_id }) => session_id));
      for (const [index, { session_id, generation }] of buried.entries()) {
        signal.throwIfAborted();
        if (heads[index] === null) continue;
        await journal.remove(session_id, generation);
        journals += 1;
      }
      place = buried.length < BATCH ? null : (buried.at(-1)?.place ?? null);
    }
    const files = await removeFiles(OLD_MS);
    return { done: journals + files, mark: place ?? 0, more: { journals, files } };
  };

import { rowsByIds } from "./fetch.ts";
import type { ReadFile } from "./file.ts";
import { isInSpans, isRemoved, openSpans } from "./hidden.ts";
import { sessionIds } from "./ids.ts";
import { readDisplayPage, settle } from "./page.ts";
import type { Added, CountQuery, CountStep, DisplayRow, Hidden } from "./port.ts";

/** Bytes of a text that tell a summary from a message. */
const LIGHT_BYTES = 2_048;
/** New rows that are told by themselves; more are counted with the chain. */
const MAX_ADDED = 500;
const PREVIEW_BYTES = 1_024;

export const countDisplay = (
  file: ReadFile,
  segments: readonly string[],
  { from, limit, hidden }: CountQuery,
): CountStep => {
  const { rows, nextBefore } = readDisplayPage(file, segments, {
    ...(from === null || from === undefined ? {} : { before: from }),
    ...{ limit, hidden, contentLimit: LIGHT_BYTES },
  });
  return { count: rows.length, next: nextBefore, lastTimestamp: rows.at(-1)?.createdAt ?? null };
};

export const countAfter = (
  file: ReadFile,
  segments: readonly string[],
  after: number,
  { hidden, newestTime }: { readonly hidden?: Hidden | undefined; readonly newestTime: number | null },
): Added | null => {
  const ids = sessionIds(file);
  const spans = openSpans(hidden);
  const removed = isRemoved(hidden);
  let count = 0;
  let lastTimestamp: number | null = null;
  for (const [at, segment] of segments.entries()) {
    const found = ids.above(segment, after, MAX_ADDED + 1);
    if (found.length > MAX_ADDED) return null;
    const rows = rowsByIds(
      file,
      found.filter((id) => isInSpans(spans, id)),
      { contentLimit: LIGHT_BYTES, visibleOnly: true },
    );
    // Older than what is counted: copies, whose originals may be gone.
    if (rows.some((row) => row.summary || (newestTime !== null && (row.createdAt ?? 0) < newestTime)))
      return null;
    const shown = settle(file, segments, at, rows, LIGHT_BYTES).filter((row) => !removed(row));
    count += shown.length;
    for (const { createdAt } of shown)
      if (createdAt !== null && (lastTimestamp === null || createdAt > lastTimestamp))
        lastTimestamp = createdAt;
  }
  return { count, lastTimestamp };
};

export const lastDisplay = (
  file: ReadFile,
  segments: readonly string[],
  hidden: Hidden | undefined,
): DisplayRow | null =>
  readDisplayPage(file, segments, { limit: 1, contentLimit: PREVIEW_BYTES, hidden }).rows[0] ?? null;

export const maxRowId = (file: ReadFile, segments: readonly string[]): number =>
  Math.max(0, ...segments.map((id) => sessionIds(file).max(id)));

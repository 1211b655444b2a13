import { rowsByIds } from "./fetch.ts";
import type { ReadFile } from "./file.ts";
import { createHiddenRows, type HiddenRows, type Span } from "./hidden.ts";
import { sessionIds } from "./ids.ts";
import { segmentOf } from "./page.ts";
import { classify, type Neighbours, neighboursOf } from "./plain.ts";
import type { CountQuery, CountStep, HiddenOption } from "./port.ts";
import type { StateRow } from "./rows.ts";
import { certainRow, settleRows } from "./settle.ts";

/** Rows per statement: a few to begin with, more while that goes fast, fewer where most rows have to be settled. */
const FEWEST = 100;
const MOST = 2_000;
const FAST_MS = 2;
/** A step that took this long leaves the rest to the next one: others wait for the thread. */
const STEP_MS = 10;
/** Bytes of a text that is looked at; summaries and blank beginnings are read again (see `settleRows`). */
const GLANCE = 256;
/** New rows that are counted without counting all. */
const MAX_NEW = 500;

/**
 * A step of the count of the display set (P13), from the end or from `from` towards the beginning. Rows that are what
 * they seem are counted inside SQLite; summaries, encoded parts, possible copies and the like are settled as a page
 * would.
 */
export const countStep = (
  file: ReadFile,
  segments: readonly string[],
  { from, limit, hidden: removed }: CountQuery,
): CountStep => {
  const started = performance.now();
  const hidden = createHiddenRows(removed);
  const start = typeof from === "number" ? segmentOf(file, segments, from) : segments.length - 1;
  const most = Math.max(limit, 1);
  let [count, left, pace] = [0, most, FEWEST];
  let [next, last]: [number | null, Last | null] = [from ?? null, null];
  for (let at = start; at >= 0; at--) {
    const neighbours = neighboursOf(file, segments, at);
    const spans = hidden.spans(at === start && typeof from === "number" ? from : Number.MAX_SAFE_INTEGER);
    for (const { above, below } of spans)
      for (let bound = below; ; ) {
        const began = performance.now();
        const isOver = left <= 0 || began - started > STEP_MS;
        if (isOver && left < most) return { count, next, ...lastOf(last) };
        const size = Math.min(left, pace);
        const place = { segments, at, neighbours, hidden };
        const counted = countWindow(file, place, { above, below: bound, limit: size });
        count += counted.count;
        last ??= counted.last;
        left -= counted.seen;
        pace = performance.now() - began < FAST_MS ? Math.min(pace * 2, MOST) : Math.max(pace >> 1, FEWEST);
        if (counted.seen > 0) next = counted.lowest;
        if (counted.seen < size) break;
        bound = counted.lowest;
      }
  }
  return { count, next: null, ...lastOf(last) };
};

interface Last {
  readonly position: number;
  readonly time: number | null;
}
const lastOf = (last: Last | null): Pick<CountStep, "lastPosition" | "lastTimestamp"> => ({
  lastPosition: last?.position ?? null,
  lastTimestamp: last?.time ?? null,
});

interface Place {
  readonly segments: readonly string[];
  readonly at: number;
  readonly neighbours: Neighbours;
  readonly hidden: HiddenRows;
}

interface Counted {
  /** Rows looked at. */
  readonly seen: number;
  /** Id of the oldest of them. */
  readonly lowest: number;
  readonly count: number;
  readonly last: Last | null;
}

/** Counts what is seen of the newest `limit` rows between two ids of one segment. */
const countWindow = (
  file: ReadFile,
  { segments, at, neighbours, hidden }: Place,
  window: Span & { readonly limit: number },
): Counted => {
  const { seen, lowest, plain, newest, odd } = classify(file, { neighbours, hidden }, window);
  const rows = rowsByIds(file, odd, { contentLimit: GLANCE, visibleOnly: true });
  const settled = settleRows(file, segments, at, rows, { contentLimit: GLANCE, hidden });
  const top = settled.at(-1);
  const last =
    top !== undefined && top.position > newest ? { position: top.position, time: top.createdAt } : null;
  return {
    seen,
    lowest,
    count: plain + settled.length,
    last: last ?? (newest > 0 ? { position: newest, time: timeOf(file, newest) } : null),
  };
};

const timeOf = (file: ReadFile, id: number): number | null => {
  const time = file.prepare("SELECT timestamp FROM messages WHERE id = ?").pluck().get(id);
  return typeof time === "number" ? time : null;
};

/** Display rows that the rows above `afterRowId` added, or null where only a new count can tell (see the port). */
export const countAfter = (
  file: ReadFile,
  segments: readonly string[],
  afterRowId: number,
  { hidden: removed }: HiddenOption = {},
): number | null => {
  if (afterRowId > 0 && !isIn(file, segments, afterRowId)) return null;
  const ids = sessionIds(file);
  const hidden = createHiddenRows(removed);
  let [count, left] = [0, MAX_NEW];
  for (const [at, id] of segments.entries()) {
    const fresh = ids.above(id, afterRowId, left + 1);
    left -= fresh.length;
    if (left < 0) return null;
    const rows = rowsByIds(file, fresh, { contentLimit: GLANCE, visibleOnly: true });
    if (rows.length === 0) continue;
    const newest = newestBefore(file, segments.slice(Math.max(at - 1, 0), at + 2), afterRowId);
    if (newest === null || rows.some((row) => mayBeCopy(file, row, newest))) return null;
    count += settleRows(file, segments, at, rows, { contentLimit: GLANCE, hidden }).length;
  }
  return count;
};

const isIn = (file: ReadFile, segments: readonly string[], rowId: number): boolean =>
  segments.includes(
    String(file.prepare("SELECT session_id FROM messages WHERE id = ?").pluck().get(rowId) ?? ""),
  );

/** A compaction came, or a row that is not newer than what it might repeat. */
const mayBeCopy = (file: ReadFile, row: StateRow, newest: number): boolean =>
  row.createdAt === null || row.createdAt <= newest || certainRow(file, row).summary;

/** The newest time of rows up to `rowId`; null where it cannot be told. */
const newestBefore = (file: ReadFile, segments: readonly string[], rowId: number): number | null => {
  const index = file.shape().indexes.bySessionTime;
  if (index === null) return null;
  const sql = `SELECT timestamp FROM messages ${index} WHERE session_id = ? AND id <= ?
    ORDER BY timestamp DESC LIMIT 1`;
  const times = segments.map((id) => file.prepare(sql).pluck().get(id, rowId) ?? Number.NEGATIVE_INFINITY);
  return times.every((time) => typeof time === "number") ? Math.max(...times) : null;
};

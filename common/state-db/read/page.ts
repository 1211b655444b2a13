import { visibleRows } from "./fetch.ts";
import type { ReadFile } from "./file.ts";
import { createHiddenRows } from "./hidden.ts";
import type { DisplayPage, DisplayRow, HiddenOption, PageQuery } from "./port.ts";
import { settleRows } from "./settle.ts";

/** Rows read beyond what is missing, so that a few copies or summaries do not cost another statement. */
const SPARE = 8;
const NO_LIMIT = Number.MAX_SAFE_INTEGER;
const FROM_END = Number.MAX_SAFE_INTEGER;
/** Bytes that are read of a text for a preview. */
const PREVIEW = 400;

/**
 * One page of the display set (a.7, a.8): read backwards from the end or from `before`, segment by segment, until it is
 * full. Reads the rows of the page and a few more, and for copies the rows of the same instants.
 */
export const readDisplayPage = (
  file: ReadFile,
  segments: readonly string[],
  { before, limit, contentLimit = NO_LIMIT, hidden: removed }: PageQuery,
): DisplayPage => {
  const hidden = createHiddenRows(removed);
  const newestFirst: DisplayRow[] = [];
  const start = before === undefined ? segments.length - 1 : segmentOf(file, segments, before);
  const readSpan = (at: number, above: number, below: number): void => {
    for (let bound = below; newestFirst.length <= limit; ) {
      const size = limit + 1 - newestFirst.length + SPARE;
      const window = { above, below: bound, limit: size, contentLimit };
      const rows = visibleRows(file, segments[at] ?? "", window);
      newestFirst.push(...settleRows(file, segments, at, rows, { contentLimit, hidden }));
      if (rows.length < size) return;
      bound = rows.at(-1)?.rowId ?? above;
    }
  };
  for (let at = start; at >= 0 && newestFirst.length <= limit; at--)
    for (const { above, below } of hidden.spans(at === start ? (before ?? FROM_END) : FROM_END))
      readSpan(at, above, below);
  const page = newestFirst.slice(0, limit);
  const nextBefore = newestFirst.length > limit ? (page.at(-1)?.position ?? null) : null;
  return { rows: page.reverse(), nextBefore };
};

/** The newest row of the display set as a preview. */
export const readLastDisplay = (
  file: ReadFile,
  segments: readonly string[],
  { hidden }: HiddenOption = {},
): DisplayRow | null => {
  const [last] = readDisplayPage(file, segments, { limit: 1, contentLimit: PREVIEW, hidden }).rows;
  if (last === undefined) return null;
  const { parts: _parts, rawContent: _raw, apiContent: _sent, ...rest } = last;
  return { ...rest, content: last.content.slice(0, PREVIEW) };
};

/** The segment a row stands in; where it was deleted since, the newest one with older rows. */
export const segmentOf = (file: ReadFile, segments: readonly string[], rowId: number): number => {
  const owner = file.prepare("SELECT session_id FROM messages WHERE id = ?").pluck().get(rowId);
  const at = segments.indexOf(String(owner ?? ""));
  if (at >= 0) return at;
  return segments.findLastIndex(
    (id) => visibleRows(file, id, { below: rowId, limit: 1, contentLimit: 1 }).length > 0,
  );
};

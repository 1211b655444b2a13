import { readContent, squash } from "../../reconcile/content.ts";
import { findDuplicates } from "./duplicates.ts";
import { rowsByIds, visibleRows } from "./fetch.ts";
import type { ReadFile } from "./file.ts";
import { isRemoved, openSpans } from "./hidden.ts";
import type { DisplayPage, DisplayRow, PageQuery } from "./port.ts";
import { asCarried, type StateRow } from "./rows.ts";

/** Rows read beyond what is missing, so that a few copies or summaries do not cost another statement. */
const SPARE = 8;
/** Rows around a summary among which the message it carries is looked for. */
const BEFORE_CARRIER = 400;
const AFTER_CARRIER = 50;
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

/**
 * One page of the display set (a.7, a.8): read backwards from the end or from `before`, segment by segment, until it is
 * full. Reads the rows of the page and a few more, and for copies the rows of the same instants.
 */
export const readDisplayPage = (
  file: ReadFile,
  segments: readonly string[],
  { before, limit, contentLimit = NO_LIMIT, hidden }: PageQuery,
): DisplayPage => {
  const spans = openSpans(hidden);
  const removed = isRemoved(hidden);
  const newestFirst: DisplayRow[] = [];
  const start = before === undefined ? segments.length - 1 : segmentOf(file, segments, before);
  for (let at = start; at >= 0 && newestFirst.length <= limit; at--) {
    const end = at === start && before !== undefined ? before : Number.MAX_SAFE_INTEGER;
    for (const { above, upTo } of spans) {
      let below = Math.min(end, upTo === Number.MAX_SAFE_INTEGER ? upTo : upTo + 1);
      while (below > above + 1 && newestFirst.length <= limit) {
        const size = limit + 1 - newestFirst.length + SPARE;
        const rows = visibleRows(file, segments[at] ?? "", {
          below,
          floor: above,
          limit: size,
          contentLimit,
        });
        newestFirst.push(...settle(file, segments, at, rows, contentLimit).filter((row) => !removed(row)));
        if (rows.length < size) break;
        below = rows.at(-1)?.rowId ?? 0;
      }
    }
  }
  const page = newestFirst.slice(0, limit);
  const nextBefore = newestFirst.length > limit ? (page.at(-1)?.position ?? null) : null;
  return { rows: page.reverse(), nextBefore };
};

/** What a person sees of rows that their flags let through. */
export const settle = (
  file: ReadFile,
  segments: readonly string[],
  at: number,
  rows: readonly StateRow[],
  contentLimit: number,
): readonly DisplayRow[] => {
  const duplicates = findDuplicates(file, segments, at, rows);
  return rows.flatMap((row) => {
    if (!row.displayable && row.carried === undefined) return [];
    const speaker = duplicates.resolve(row);
    if (speaker === null) return [];
    const shown = speaker === row.rowId ? row : (rowsByIds(file, [speaker], { contentLimit })[0] ?? row);
    if (!shown.summary) return [{ ...shown, position: row.rowId }];
    const text = shown.carried;
    if (text === undefined || isShownElsewhere(file, segments, at, row, text)) return [];
    return [{ ...asCarried(shown, text), position: row.rowId }];
  });
};

/** True if an equal message stands near the carrier: usually the one that its text was taken from (a.8). */
const isShownElsewhere = (
  file: ReadFile,
  segments: readonly string[],
  at: number,
  { rowId, role }: StateRow,
  text: string,
): boolean => {
  const wanted = squash(text);
  const segment = segments[at] ?? "";
  const older = at > 0 ? (segments[at - 1] ?? "") : null;
  const contentLimit = Buffer.byteLength(text) + 4096;
  const near = [
    () => visibleRows(file, segment, { above: rowId, limit: AFTER_CARRIER, contentLimit }),
    () => visibleRows(file, segment, { below: rowId, limit: BEFORE_CARRIER, contentLimit }),
    () =>
      older === null ? [] : visibleRows(file, older, { below: null, limit: BEFORE_CARRIER, contentLimit }),
  ];
  return near.some((read) =>
    read().some(
      (row) =>
        row.role === role && row.displayable && readContent(row.rawContent ?? row.content).text === wanted,
    ),
  );
};

/** The segment a row stands in; where it was deleted since, the newest one with older rows. */
const segmentOf = (file: ReadFile, segments: readonly string[], rowId: number): number => {
  const owner = file.prepare("SELECT session_id FROM messages WHERE id = ?").pluck().get(rowId);
  const at = segments.indexOf(String(owner ?? ""));
  if (at >= 0) return at;
  return segments.findLastIndex(
    (id) => visibleRows(file, id, { below: rowId, limit: 1, contentLimit: 1 }).length > 0,
  );
};

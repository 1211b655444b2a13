import { readContent, squash } from "../../reconcile/content.ts";
import { findDuplicates } from "./duplicates.ts";
import { rowsByIds, visibleRows } from "./fetch.ts";
import type { ReadFile } from "./file.ts";
import type { HiddenRows } from "./hidden.ts";
import type { DisplayRow } from "./port.ts";
import { asCarried, type StateRow } from "./rows.ts";

/** Rows around a summary among which the message it carries is looked for. */
const BEFORE_CARRIER = 400;
const AFTER_CARRIER = 50;
/** Characters that tell a summary from a text (a.8). */
const TELLING = 80;

export interface SettleOptions {
  readonly contentLimit: number;
  readonly hidden: HiddenRows;
}

/**
 * What a person sees of rows of `segments[at]` that their flags let through, in the order given: each row is judged for
 * itself, so that pages and counts of any size agree (P13). Texts come shortened to `contentLimit`; what a row is gets
 * decided by its whole text.
 */
export const settleRows = (
  file: ReadFile,
  segments: readonly string[],
  at: number,
  rows: readonly StateRow[],
  { contentLimit, hidden }: SettleOptions,
): readonly DisplayRow[] => {
  const duplicates = findDuplicates(file, segments, at, rows);
  const isHidden = (row: StateRow): boolean =>
    hidden.hasId(row.rowId) || hidden.hasCopy(row, () => wholeOf(file, row));
  return rows.flatMap((given) => {
    const row = certainRow(file, given);
    if ((!row.displayable && row.carried === undefined) || isHidden(row)) return [];
    const speaker = duplicates.resolve(row);
    if (speaker === null) return [];
    const spoken = speaker === row.rowId ? row : speakerOf(file, speaker, contentLimit, row);
    // A cut behind the message took its newer copy away; the message itself stays.
    const shown = spoken !== row && isHidden(spoken) ? row : spoken;
    if (!shown.summary) return [{ ...shown, position: row.rowId }];
    const text = shown.carried;
    if (text === undefined || isShownElsewhere(file, segments, at, row, text)) return [];
    const carried = asCarried(shown, text);
    if (hidden.hasCopy(carried, () => carried)) return [];
    return [{ ...shortened(carried, contentLimit), position: row.rowId }];
  });
};

const speakerOf = (file: ReadFile, id: number, contentLimit: number, row: StateRow): StateRow => {
  const [found] = rowsByIds(file, [id], { contentLimit });
  return found === undefined ? row : certainRow(file, found);
};

const wholeOf = (file: ReadFile, row: StateRow): StateRow => rowsByIds(file, [row.rowId])[0] ?? row;

/**
 * The beginning of a text does not always say what the row is: a summary may carry a message behind it, and blanks may
 * come before the text. Such rows are read again.
 */
export const certainRow = (file: ReadFile, row: StateRow): StateRow => {
  if (row.fullBytes === undefined) return row;
  if (row.displayable && row.content.trimStart().length >= TELLING) return row;
  const whole = wholeOf(file, row);
  return whole.summary ? whole : { ...row, displayable: whole.displayable };
};

const shortened = (row: StateRow, contentLimit: number): StateRow => {
  const { fullBytes: _size, ...rest } = row;
  const bytes = Buffer.byteLength(row.content);
  return bytes <= contentLimit
    ? rest
    : { ...rest, content: row.content.slice(0, contentLimit), fullBytes: bytes };
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
    () => visibleRows(file, segment, { above: rowId, oldestFirst: true, limit: AFTER_CARRIER, contentLimit }),
    () => visibleRows(file, segment, { below: rowId, limit: BEFORE_CARRIER, contentLimit }),
    () => (older === null ? [] : visibleRows(file, older, { limit: BEFORE_CARRIER, contentLimit })),
  ];
  return near.some((read) =>
    read().some(
      (row) =>
        row.role === role && row.displayable && readContent(row.rawContent ?? row.content).text === wanted,
    ),
  );
};

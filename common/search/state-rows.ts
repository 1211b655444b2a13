import { contentUpTo, isVisible } from "../state-db/read/columns.ts";
import type { ReadFile, Shape } from "../state-db/read/file.ts";
import { decodeRow, type RawRow, type StateRow } from "../state-db/read/rows.ts";

/** What is read of a text, in UTF-16 units; tool results are long, and what is looked for stands in their beginning. */
export const MAX_CHARS = 65_536;
const MAX_TOOL_CHARS = 8_192;

/** The text by which a row can be found: the same at indexing and at searching. Null if nobody sees the row or it has none. */
export const searchableText = (row: StateRow): string | null => {
  if (!row.displayable) return null;
  const text = row.content.slice(0, row.role === "tool" ? MAX_TOOL_CHARS : MAX_CHARS);
  return text.trim() === "" ? null : text;
};

export interface RowRange {
  /** Rows that flags and role let be seen, by id. */
  readonly rows: readonly StateRow[];
  /** Highest id that was looked at; null if the range is empty. */
  readonly last: number | null;
  /** Ids that were looked at. */
  readonly count: number;
}

/** The next rows above an id: a range of the primary key, bodies only of rows that can be seen. */
export const rowsAbove = (file: ReadFile, id: number, limit: number): RowRange => {
  const range = "SELECT id FROM messages NOT INDEXED WHERE id > ? ORDER BY id LIMIT ?";
  const [last, count] = file.prepare(`SELECT MAX(id), COUNT(*) FROM (${range})`).raw().get(id, limit) as [
    number | null,
    number,
  ];
  if (last === null) return { rows: [], last, count };
  return { rows: select(file, "NOT INDEXED WHERE id > ? AND id <= ?", id, last), last, count };
};

export interface RecentRows {
  readonly rows: readonly StateRow[];
  /** Ids of the range that was looked at, both included; empty where `first` is above `last`. */
  readonly first: number;
  readonly last: number;
}

/** Ids that newest rows are looked for among: where many were deleted, fewer rows are found. */
const RECENT_IDS = 1_000;

/** The newest rows that are not above an id. */
export const newestRows = (file: ReadFile, last: number, limit: number): RecentRows => {
  const range = `SELECT id FROM messages NOT INDEXED WHERE id > ? AND id <= ? ORDER BY id DESC LIMIT ?`;
  const lowest = last - RECENT_IDS;
  const [oldest, count] = file
    .prepare(`SELECT MIN(id), COUNT(*) FROM (${range})`)
    .raw()
    .get(lowest, last, limit) as [number | null, number];
  const first = oldest !== null && count === limit ? oldest : lowest + 1;
  return { rows: select(file, "NOT INDEXED WHERE id >= ? AND id <= ?", first, last), first, last };
};

/** Rows by id; ids without a row, or with one that nobody sees, are left out. */
export const rowsWithIds = (file: ReadFile, ids: readonly number[]): readonly StateRow[] =>
  select(file, "WHERE id IN (SELECT value FROM json_each(?))", JSON.stringify(ids));

const select = (file: ReadFile, where: string, ...values: unknown[]): readonly StateRow[] => {
  const shape = file.shape();
  const sql = `SELECT ${columns(shape)} FROM messages ${where} AND ${isVisible(shape)} ORDER BY id`;
  return file
    .prepare(sql)
    .all(...values)
    .map((row) => decodeRow(row as RawRow));
};

/** The columns that text and visibility hang on: calls, reasoning and what was sent to a model are not read. */
const columns = ({ messages }: Shape): string =>
  [
    "id, session_id, role, timestamp",
    contentUpTo(String(MAX_CHARS)),
    ...OPTIONAL.filter((name) => messages.has(name)),
  ].join(", ");

const OPTIONAL = [
  "active",
  "compacted",
  "display_kind",
  "display_metadata",
  "_compressed_summary",
  "message_uid",
] as const;

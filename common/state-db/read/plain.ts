import { isVisible } from "./columns.ts";
import { endOf } from "./duplicates.ts";
import type { ReadFile } from "./file.ts";
import type { HiddenRows, Span } from "./hidden.ts";
import { sessionIds } from "./ids.ts";

/** A segment and the ones that a rotation may have carried copies from or to. */
export interface Neighbours {
  readonly sessionId: string;
  readonly older: string;
  readonly newer: string;
  /** Newest time of the older one, oldest time of the newer one: beyond them there are no copies. */
  readonly newestOlder: number;
  readonly oldestNewer: number;
}

export const neighboursOf = (file: ReadFile, segments: readonly string[], at: number): Neighbours => {
  const index = file.shape().indexes.bySessionTime;
  return {
    sessionId: segments[at] ?? "",
    older: segments[at - 1] ?? "",
    newer: segments[at + 1] ?? "",
    newestOlder: index === null ? 0 : endOf(file, index, segments[at - 1], "DESC"),
    oldestNewer: index === null ? 0 : endOf(file, index, segments[at + 1], "ASC"),
  };
};

export interface Classes {
  /** Rows looked at, and the id of the oldest of them. */
  readonly seen: number;
  readonly lowest: number;
  /** Rows that surely are display rows each of its own, and the newest of them (0: none). */
  readonly plain: number;
  readonly newest: number;
  /** Visible rows that need a closer look. */
  readonly odd: readonly number[];
}

/** Sorts the newest `limit` rows between two ids without taking anything of them out of SQLite but the odd ones' ids. */
export const classify = (
  file: ReadFile,
  { neighbours, hidden }: { readonly neighbours: Neighbours; readonly hidden: HiddenRows },
  { above, below, limit }: Span & { readonly limit: number },
): Classes => {
  const index = file.shape().indexes.bySessionId;
  const ids = index === null ? idsBetween(file, neighbours.sessionId, { above, below, limit }) : [];
  const source =
    index === null
      ? "FROM messages m WHERE m.id IN (SELECT value FROM json_each(@ids))"
      : `FROM messages m ${index} WHERE m.session_id = @sessionId AND m.id > @above AND m.id < @below
        ORDER BY m.id DESC LIMIT @limit`;
  const sql = `SELECT COUNT(*), COALESCE(MIN(id), 0), COUNT(*) FILTER (WHERE plain = 1),
      COALESCE(MAX(id) FILTER (WHERE plain = 1), 0), json_group_array(id) FILTER (WHERE plain = 0)
    FROM (SELECT m.id AS id, CASE WHEN ${isVisible(file.shape())} THEN COALESCE(${isPlain(file)}, 0) END AS plain
      ${source})`;
  const found = file
    .prepare(sql)
    .raw()
    .get({
      ...neighbours,
      above,
      below,
      limit,
      ids: JSON.stringify(ids),
      uids: JSON.stringify([...hidden.uids]),
      times: JSON.stringify(
        [...hidden.times].flatMap((time) => (time === null ? [] : Math.trunc(time * 1000))),
      ),
    }) as [number, number, number, number, string];
  const [seen, lowest, plain, newest, odd] = found;
  const known = { plain, newest, odd: JSON.parse(odd) as number[] };
  return index === null
    ? { ...known, seen: ids.length, lowest: ids.at(-1) ?? 0 }
    : { ...known, seen, lowest };
};

const idsBetween = (
  file: ReadFile,
  sessionId: string,
  { above, below, limit }: Span & { readonly limit: number },
): readonly number[] =>
  sessionIds(file)
    .below(sessionId, below, limit)
    .filter((id) => id > above);

/**
 * Condition for a visible row `m` to be, without a closer look, a display row of its own and none that a person removed:
 * it says something that no summary begins with, and no row of its or the neighbouring segments has its time.
 */
const isPlain = (file: ReadFile): string => {
  const { messages, indexes } = file.shape();
  const has = (column: string, condition: string): readonly string[] =>
    messages.has(column) ? [condition] : [];
  const calls = has("tool_calls", "substr(m.tool_calls, 1, 2) = '[{'");
  const result = has("tool_call_id", "m.role = 'tool' AND m.tool_call_id IS NOT NULL");
  const acts = [...calls, ...result, "0"].join(" OR ");
  const { bySessionTime } = indexes;
  const tie = (session: string): string =>
    `EXISTS (SELECT 1 FROM messages t ${bySessionTime ?? ""}
      WHERE t.session_id = ${session} AND t.timestamp = m.timestamp AND t.id <> m.id)`;
  const untied =
    bySessionTime === null
      ? []
      : [
          `NOT ${tie("@sessionId")}`,
          `NOT (m.timestamp <= @newestOlder AND ${tie("@older")})`,
          `NOT (m.timestamp >= @oldestNewer AND ${tie("@newer")})`,
        ];
  return [
    `CASE WHEN octet_length(m.content) > 0 THEN ${BEGINS_PLAINLY} ELSE ${acts} END`,
    "typeof(m.timestamp) IN ('real', 'integer')",
    ...has("_compressed_summary", "COALESCE(m._compressed_summary, 0) = 0"),
    ...has("display_metadata", "m.display_metadata IS NULL"),
    ...has("message_uid", "COALESCE(trim(m.message_uid), '') NOT IN (SELECT value FROM json_each(@uids))"),
    // Whole milliseconds: the text of a fraction may be read as another number.
    "CAST(m.timestamp * 1000 AS INTEGER) NOT IN (SELECT value FROM json_each(@times))",
    ...untied,
  ]
    .map((condition) => `(${condition})`)
    .join(" AND ");
};

/** What JavaScript trims, above the control characters. */
const BLANKS = [
  ...[0x20, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff],
  ...Array.from({ length: 11 }, (_, index) => 0x2000 + index),
];

/** The first character is none of blank, control or the mark of parts, and no summary begins so (a.8). */
const BEGINS_PLAINLY = `unicode(m.content) > 32 AND unicode(m.content) NOT IN (${BLANKS.join(", ")})
  AND (unicode(m.content) <> 91 OR lower(substr(m.content, 1, 4)) NOT IN ('[con', '[arc', '[you'))`;

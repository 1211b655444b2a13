import type { Shape } from "./file.ts";

/** SELECT lists over whatever columns a file has: what is missing is a constant (a.6). All names are ours. */

const select = (has: ReadonlySet<string>, columns: Readonly<Record<string, string>>): string =>
  Object.entries(columns)
    .map(([name, fallback]) => (has.has(name) ? name : `${fallback} AS ${name}`))
    .join(", ");

/**
 * Columns of a decoded row (see `decodeRow`). With `limited`, a text of more than `@contentLimit` bytes comes as its
 * beginning (see `contentUpTo`), and its size as `full_bytes`.
 */
export const messageColumns = (shape: Shape, limited = false): string => {
  const rest = select(shape.messages, MESSAGE_COLUMNS);
  if (!limited) return `content, ${rest}`;
  return `${contentUpTo("@contentLimit")}, CASE WHEN ${isLong("@contentLimit")} THEN octet_length(content) END AS full_bytes, ${rest}`;
};

/**
 * The column `content`, as its beginning where it has more than `limit` bytes; encoded parts come whole, because a piece of them
 * is nothing. `limit` is SQL.
 */
export const contentUpTo = (limit: string): string =>
  `CASE WHEN ${isLong(limit)} THEN substr(content, 1, ${limit}) ELSE content END AS content`;

/** `substr` of a text ends at a NUL, so the mark of encoded parts is looked for as bytes. */
const isLong = (limit: string): string =>
  `octet_length(content) > ${limit} AND substr(CAST(content AS BLOB), 1, 6) <> X'006A736F6E3A'`;

const MESSAGE_COLUMNS = {
  id: "NULL",
  session_id: "NULL",
  role: "NULL",
  timestamp: "NULL",
  tool_call_id: "NULL",
  tool_calls: "NULL",
  tool_name: "NULL",
  finish_reason: "NULL",
  reasoning: "NULL",
  reasoning_content: "NULL",
  active: "1",
  compacted: "0",
  platform_message_id: "NULL",
  observed: "0",
  api_content: "NULL",
  display_kind: "NULL",
  display_metadata: "NULL",
  _compressed_summary: "0",
  message_uid: "NULL",
} as const;

/** Condition: the row is in the model's history; NULL counts as 1 (a.3). */
export const isActive = ({ messages }: Shape): string =>
  messages.has("active") ? "COALESCE(active, 1) = 1" : "1";

/** Condition: active, or archived by a compaction. */
export const isPresent = (shape: Shape): string =>
  `${isActive(shape)}${shape.messages.has("compacted") ? " OR compacted = 1" : ""}`;

/** Condition: flags and role let a person see the row (a.7); summaries and empty rows still have to be sorted out. */
export const isVisible = (shape: Shape): string => {
  const hidden = shape.messages.has("display_kind") ? " AND display_kind IS NOT 'hidden'" : "";
  return `(${isPresent(shape)}) AND role IN ('user', 'assistant', 'tool')${hidden}`;
};

/**
 * Light columns of sessions, in the order that `toRecord` takes them. A configuration that names no origin says nothing
 * here and stays in the file: most name none, and a list reads thousands.
 */
export const sessionColumns = ({ sessions }: Shape): string =>
  `${select(sessions, SESSION_COLUMNS)}, ${
    sessions.has("model_config") ? "CASE WHEN instr(model_config, '_from') > 0 THEN model_config END" : "NULL"
  }`;

const SESSION_COLUMNS = {
  id: "NULL",
  source: "NULL",
  title: "NULL",
  model: "NULL",
  cwd: "NULL",
  parent_session_id: "NULL",
  started_at: "NULL",
  ended_at: "NULL",
  end_reason: "NULL",
  last_activity_at: "NULL",
  message_count: "0",
  rewind_count: "0",
  archived: "0",
  pinned: "0",
} as const;

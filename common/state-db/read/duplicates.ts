import { isVisible } from "./columns.ts";
import type { ReadFile } from "./file.ts";
import type { StateRow } from "./rows.ts";

/** Rows of one session and one time that are looked at: imports may stamp thousands of rows alike. */
const MAX_TIES = 5_000;
/** Times per statement. */
const TIMES = 32;

/**
 * The copies of rows, found without reading the session: a copy keeps its original's time, and every layout has an index
 * by (session, time). Copies stand in the same segment, or in the neighbouring ones that a rotation carried them to.
 */
export interface Duplicates {
  /**
   * Null if the message stands elsewhere: at an older copy, in this segment or an earlier one. Otherwise the id of the
   * row that speaks for it: an active one before others, then the newest (a.7).
   */
  resolve(row: StateRow): number | null;
  /**
   * Where the message of a row stands: its oldest visible row, and that one's segment. Null if no row of it is visible;
   * the row itself need not be.
   */
  standing(row: StateRow): { readonly id: number; readonly at: number } | null;
}

/** Prepares `resolve` for rows of `segments[at]`. */
export const findDuplicates = (
  file: ReadFile,
  segments: readonly string[],
  at: number,
  rows: readonly StateRow[],
): Duplicates => {
  const index = file.shape().indexes.bySessionTime;
  if (index === null)
    return {
      resolve: (row) => row.rowId,
      standing: (row) => (row.active || row.compacted ? { id: row.rowId, at } : null),
    };
  const times = [...new Set(rows.flatMap(({ createdAt }) => createdAt ?? []))];
  const tiesAt = (place: number, among: readonly number[]): Ties =>
    readTies(file, index, segments[place] ?? "", among);
  const here = tiesAt(at, times);
  // What is newer than all of the older segment is no copy of it, and nothing older than the newer one is in there.
  const newest = endOf(file, index, segments[at - 1], "DESC");
  const oldest = endOf(file, index, segments[at + 1], "ASC");
  const before = tiesAt(
    at - 1,
    times.filter((time) => time <= newest),
  );
  const after = tiesAt(
    at + 1,
    times.filter((time) => time >= oldest),
  );
  const copiesIn = (ties: Ties, row: Tie): readonly Tie[] =>
    (ties.get(row.timestamp) ?? []).filter((other) => other.id !== row.id && isCopy(file, row, other));
  return {
    resolve(row) {
      const own = here.get(row.createdAt ?? Number.NaN)?.find(({ id }) => id === row.rowId);
      if (own === undefined) return row.rowId;
      const copies = copiesIn(here, own);
      if (copies.some(({ id }) => id < own.id) || copiesIn(before, own).length > 0) return null;
      const group = [own, ...copies];
      let carried = copiesIn(after, own);
      for (let place = at + 2; carried.length > 0; place++) {
        group.push(...carried);
        carried = place < segments.length ? copiesIn(tiesAt(place, [own.timestamp]), own) : [];
      }
      return group.reduce((best, tie) =>
        tie.active > best.active || (tie.active === best.active && tie.id > best.id) ? tie : best,
      ).id;
    },
    standing(row) {
      const own = here.get(row.createdAt ?? Number.NaN)?.find(({ id }) => id === row.rowId);
      const like = own ?? tieOf(file, row.rowId);
      if (like === null) return null;
      const oldestIn = (place: number): number | null => {
        const copies = copiesIn(place === at ? here : tiesAt(place, [like.timestamp]), like);
        const ids = [...copies, ...(place === at && own !== undefined ? [own] : [])].map(({ id }) => id);
        return ids.length > 0 ? Math.min(...ids) : null;
      };
      let found: { id: number; at: number } | null = null;
      for (const place of [at + 1, at]) {
        const id = oldestIn(place);
        if (id !== null) found = { id, at: place };
      }
      for (let place = at - 1; place >= 0; place--) {
        const id = oldestIn(place);
        if (id === null) break;
        found = { id, at: place };
      }
      return found;
    },
  };
};

/** The newest or the oldest time of a session's rows; without rows one that no row lies beyond. */
export const endOf = (
  file: ReadFile,
  index: string,
  sessionId: string | undefined,
  end: "ASC" | "DESC",
): number => {
  const sql = `SELECT timestamp FROM messages ${index} WHERE session_id = ? ORDER BY timestamp ${end} LIMIT 1`;
  const value = sessionId === undefined ? null : file.prepare(sql).pluck().get(sessionId);
  if (typeof value === "number") return value;
  return end === "ASC" ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
};

/** What tells copies from others before their bodies are compared. */
interface Tie {
  readonly id: number;
  readonly timestamp: number;
  readonly role: string;
  readonly active: number;
  readonly uid: string | null;
  readonly platform: string | null;
  readonly call: string | null;
  readonly tool: string | null;
  readonly bytes: number | null;
  readonly callBytes: number | null;
}
type Ties = ReadonlyMap<number, readonly Tie[]>;

const readTies = (file: ReadFile, index: string, sessionId: string, times: readonly number[]): Ties => {
  const found = new Map<number, Tie[]>();
  if (times.length === 0) return found;
  const sql = `SELECT ${tieColumns(file)} FROM messages ${index}
    WHERE session_id = ? AND timestamp IN (${Array(TIMES).fill("?").join(", ")}) AND ${isVisible(file.shape())}
    LIMIT ${MAX_TIES}`;
  for (let from = 0; from < times.length; from += TIMES) {
    const some = times.slice(from, from + TIMES);
    const padded = [...some, ...Array(TIMES - some.length).fill(some[0])];
    for (const tie of file.prepare(sql).all(sessionId, ...padded) as Tie[]) {
      const list = found.get(tie.timestamp);
      if (list === undefined) found.set(tie.timestamp, [tie]);
      else list.push(tie);
    }
  }
  return found;
};

const tieOf = (file: ReadFile, id: number): Tie | null => {
  const found = file.prepare(`SELECT ${tieColumns(file)} FROM messages WHERE id = ?`).get(id);
  return (found as Tie | undefined) ?? null;
};

const tieColumns = (file: ReadFile): string => {
  const { messages } = file.shape();
  const column = (name: string): string => (messages.has(name) ? name : "NULL");
  return `id, timestamp, role, ${messages.has("active") ? "COALESCE(active, 1)" : "1"} AS active,
    ${column("message_uid")} AS uid, ${column("platform_message_id")} AS platform, ${column("tool_call_id")} AS call,
    ${column("tool_name")} AS tool, octet_length(content) AS bytes, octet_length(${column("tool_calls")}) AS callBytes`;
};

/** One logical message: by uid, else by all that makes it up (a.7); two different platform ids are two messages (a.3). */
const isCopy = (file: ReadFile, a: Tie, b: Tie): boolean => {
  if (a.uid || b.uid) return a.uid === b.uid;
  if (a.role !== b.role || a.call !== b.call || a.tool !== b.tool) return false;
  if (a.bytes !== b.bytes || a.callBytes !== b.callBytes) return false;
  if (a.platform !== null && b.platform !== null && a.platform !== b.platform) return false;
  const calls = file.shape().messages.has("tool_calls") ? "AND a.tool_calls IS b.tool_calls" : "";
  const sql = `SELECT a.content IS b.content ${calls} FROM messages a, messages b WHERE a.id = ? AND b.id = ?`;
  return file.prepare(sql).pluck().get(a.id, b.id) === 1;
};

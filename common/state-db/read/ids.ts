import type { ReadFile } from "./file.ts";
import { lastRowId } from "./versions.ts";

/** Row ids of one session, in order, whatever indexes the file has. */
export interface SessionIds {
  /** Ids below `before` (null: from the end), newest first. */
  below(sessionId: string, before: number | null, limit: number): readonly number[];
  /** Ids above `after`, oldest first. */
  above(sessionId: string, after: number, limit: number): readonly number[];
  /** 0 without rows. */
  max(sessionId: string): number;
}

export const sessionIds = (file: ReadFile): SessionIds => {
  const index = file.shape().indexes.bySessionId;
  return index === null ? rememberedIds(file) : indexedIds(file, index);
};

const indexedIds = (file: ReadFile, index: string): SessionIds => {
  const query = (condition: string): string =>
    `SELECT id FROM messages ${index} WHERE session_id = ? AND id ${condition} LIMIT ?`;
  return {
    below: (id, before, limit) =>
      file
        .prepare(query("< ? ORDER BY id DESC"))
        .pluck()
        .all(id, before ?? Number.MAX_SAFE_INTEGER, limit) as number[],
    above: (id, after, limit) =>
      file.prepare(query("> ? ORDER BY id")).pluck().all(id, after, limit) as number[],
    max: (id) =>
      Number(file.prepare(`SELECT MAX(id) FROM messages ${index} WHERE session_id = ?`).pluck().get(id) ?? 0),
  };
};

/** Ids that are remembered at most, over all sessions of a file (8 bytes each). */
const MAX_REMEMBERED = 4_000_000;
/** New rows that are sorted into what is known; after more than that it is cheaper to read the range again. */
const MAX_FRESH = 100_000;

interface Remembered {
  readonly lists: Map<string, number[]>;
  readonly newest: Map<string, number>;
  watermark: number;
}

/**
 * Old layouts have no index by (session, id): the first contact with a session reads its range of the old index, which
 * holds the ids; from then on only rows above a watermark are looked at, by primary key (a.5). Deleted ids stay in the
 * lists: they lead to no row, and ids never come back.
 */
const rememberedIds = (file: ReadFile): SessionIds => {
  const known = file.memo<Remembered>("ids", () => ({ lists: new Map(), newest: new Map(), watermark: 0 }));
  catchUp(file, known);
  const listOf = (id: string): readonly number[] => {
    const list = known.lists.get(id) ?? readList(file, id);
    known.lists.delete(id);
    known.lists.set(id, list);
    evict(known);
    return list;
  };
  return {
    below(id, before, limit) {
      const list = listOf(id);
      const end = before === null ? list.length : placeOf(list, before);
      return list.slice(Math.max(0, end - limit), end).reverse();
    },
    above(id, after, limit) {
      const list = listOf(id);
      const from = placeOf(list, after + 1);
      return list.slice(from, from + limit);
    },
    max(id) {
      const found =
        known.newest.get(id) ??
        Number(file.prepare("SELECT MAX(id) FROM messages WHERE session_id = ?").pluck().get(id) ?? 0);
      known.newest.set(id, found);
      return found;
    },
  };
};

const catchUp = (file: ReadFile, known: Remembered): void => {
  const last = lastRowId(file);
  if (last === known.watermark) return;
  if (known.lists.size > 0 || known.newest.size > 0) {
    const sql = `SELECT id, session_id FROM messages NOT INDEXED WHERE id > ? ORDER BY id LIMIT ${MAX_FRESH + 1}`;
    const fresh = file.prepare(sql).raw().all(known.watermark) as [number, string][];
    if (fresh.length > MAX_FRESH || last < known.watermark) {
      known.lists.clear();
      known.newest.clear();
    } else
      for (const [id, session] of fresh) {
        known.lists.get(session)?.push(id);
        if (known.newest.has(session)) known.newest.set(session, id);
      }
  }
  known.watermark = last;
};

const readList = (file: ReadFile, id: string): number[] => {
  const list = file.prepare("SELECT id FROM messages WHERE session_id = ?").pluck().all(id) as number[];
  return list.every((value, place) => place === 0 || value > (list[place - 1] ?? 0))
    ? list
    : list.sort((a, b) => a - b);
};

const evict = ({ lists }: Remembered): void => {
  let count = 0;
  for (const list of lists.values()) count += list.length;
  for (const [id, list] of lists) {
    if (count <= MAX_REMEMBERED || lists.size === 1) return;
    lists.delete(id);
    count -= list.length;
  }
};

/** The first place whose id is not below `value`. */
const placeOf = (list: readonly number[], value: number): number => {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
};

import { identitiesOf } from "../../reconcile/identity.ts";
import { isPresent } from "./columns.ts";
import { rowsByIds } from "./fetch.ts";
import type { ReadFile } from "./file.ts";
import { sessionIds } from "./ids.ts";
import type { RowState } from "./port.ts";
import { toMergeRow } from "./rows.ts";

/** Ids per statement. */
const CHUNK = 900;
/** Whole bodies in memory at once. */
const BODIES = 100;

export const readRowStates = (file: ReadFile, ids: readonly number[]): readonly RowState[] => {
  const sql = `SELECT id AS rowId, ${isPresent(file.shape())} AS visible FROM messages
    WHERE id IN (SELECT value FROM json_each(?))`;
  return chunksOf(ids, CHUNK).flatMap((some) =>
    (file.prepare(sql).all(JSON.stringify(some)) as { rowId: number; visible: number | null }[]).map(
      ({ rowId, visible }) => ({ rowId, visible: visible === 1 }),
    ),
  );
};

/** Bodies are read only when there are not too many of them. */
export const readIdentities = (
  file: ReadFile,
  segments: readonly string[],
  range: readonly [number, number],
  limit: number,
): readonly string[] | null => {
  const found: number[] = [];
  for (const id of segments)
    for (const some of presentIds(file, id, range)) {
      found.push(...some);
      if (found.length > limit) return null;
    }
  const identities = chunksOf(found, BODIES).flatMap((ids) =>
    rowsByIds(file, ids).flatMap((row) => identitiesOf(toMergeRow(row))),
  );
  return [...new Set(identities)];
};

function* presentIds(
  file: ReadFile,
  sessionId: string,
  [from, to]: readonly [number, number],
): Generator<readonly number[]> {
  const ids = sessionIds(file);
  const sql = `SELECT id FROM messages WHERE id IN (SELECT value FROM json_each(?))
    AND (${isPresent(file.shape())}) AND role IN ('user', 'assistant', 'tool')`;
  for (let bound = from; ; ) {
    const next = ids.above(sessionId, bound, CHUNK);
    const inside = next.filter((id) => id <= to);
    yield file.prepare(sql).pluck().all(JSON.stringify(inside)) as number[];
    if (inside.length < CHUNK) return;
    bound = next.at(-1) ?? to;
  }
}

const chunksOf = <T>(list: readonly T[], size: number): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, index) =>
    list.slice(index * size, (index + 1) * size),
  );

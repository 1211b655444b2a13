import type Database from "better-sqlite3";
import type { ReadFile } from "../state-db/read/file.ts";
import type { ReadFiles } from "../state-db/read/files.ts";
import type { StateRow } from "../state-db/read/rows.ts";
import { lastRowId } from "../state-db/read/versions.ts";
import { createDocs, type Docs } from "./docs.ts";
import type { IndexOps, IndexStep, LocalDoc } from "./port.ts";
import { LOCAL_MARK, readSource, type Source } from "./sources.ts";
import {
  MAX_CHARS,
  newestRows,
  type RecentRows,
  type RowRange,
  rowsAbove,
  searchableText,
} from "./state-rows.ts";

/** Rows whose text is compared again with each step: as many as an import reads again (c.2). */
const RECENT = 50;
/** Documents that `forget` removes in one transaction, so that other processes get their turn. */
const FORGET_AT_ONCE = 20_000;

export const createIndexOps = (db: Database.Database, files: ReadFiles): IndexOps => {
  const docs = createDocs(db);
  const sourceOf = readSource(db);
  const putSource = db.prepare<[string, string, number, number, number]>(
    `insert into sources (profile, identity, watermark, done, dropping) values (?, ?, ?, ?, ?)
     on conflict (profile) do update set identity = excluded.identity, watermark = excluded.watermark,
       done = excluded.done, dropping = excluded.dropping`,
  );
  const put = (profile: string, { identity, watermark, done, dropping }: Source): void =>
    void putSource.run(profile, identity, watermark, done ? 1 : 0, dropping ? 1 : 0);
  const dropSource = db.prepare<[string]>("delete from sources where profile = ?");
  const putMark = db.prepare<[string, string]>("insert or replace into marks (name, value) values (?, ?)");

  /** Runs `work` if nobody went on from the same place meanwhile; otherwise their step counts and ours is asked for again. */
  const step = (profile: string, seen: Source | null, work: () => IndexStep): IndexStep =>
    db
      .transaction(
        () =>
          (isSame(sourceOf(profile), seen) ? work() : { state: "ok", indexed: 0, more: true }) as IndexStep,
      )
      .immediate();

  const dropSome = (profile: string, seen: Source | null, next: Source, limit: number): IndexStep =>
    step(profile, seen, () => {
      const indexed = docs.removeSomeRows(profile, limit);
      put(profile, { ...next, dropping: indexed === limit });
      return { state: "ok", indexed, more: true };
    });

  return {
    indexSome(profile, path, maxRows) {
      const seen = sourceOf(profile);
      const answer = files.use(path, "poll", (file) => readBatch(file, seen, maxRows));
      if (answer.state !== "ok") return { state: answer.state, indexed: 0, more: false };
      const { next, isReplaced, fresh, recent } = answer.value;
      if (isReplaced || seen?.dropping) return dropSome(profile, seen, next, maxRows);
      const changes = changesOf(docs, profile, recent);
      if (seen !== null && isSame(seen, next) && fresh.rows.length === 0 && changes.length === 0)
        return { state: "ok", indexed: 0, more: false };
      return step(profile, seen, () => {
        let indexed = 0;
        for (const change of changesOf(docs, profile, recent)) {
          if (change.docid !== null) docs.removeRow(change.docid);
          if (change.row !== null) docs.addRow(profile, change.row);
          indexed += 1;
        }
        for (const row of textRows(fresh)) {
          docs.addRow(profile, row);
          indexed += 1;
        }
        put(profile, next);
        return { state: "ok", indexed, more: !next.done };
      });
    },
    indexLocal: (list, mark) =>
      db
        .transaction(() => {
          for (const doc of list) docs.addLocal(bounded(doc));
          if (mark !== undefined) putMark.run(LOCAL_MARK, mark);
        })
        .immediate(),
    dropLocal: (sessionId) => db.transaction(() => docs.removeLocal(sessionId)).immediate(),
    forget(profile) {
      const some = db.transaction(() => {
        dropSource.run(profile);
        docs.removeAllLocal(profile);
        return docs.removeSomeRows(profile, FORGET_AT_ONCE);
      });
      while (some.immediate() === FORGET_AT_ONCE);
    },
  };
};

interface Batch {
  readonly next: Source;
  readonly isReplaced: boolean;
  readonly fresh: RowRange;
  readonly recent: RecentRows;
}

const NOTHING: RowRange = { rows: [], last: null, count: 0 };
const NONE_RECENT: RecentRows = { rows: [], first: 1, last: 0 };

/** Reads one step's rows in one snapshot. */
const readBatch = (file: ReadFile, seen: Source | null, maxRows: number): Batch => {
  const last = lastRowId(file);
  const isReplaced = seen !== null && (seen.identity !== file.identity || seen.watermark > last);
  if (isReplaced || seen?.dropping) {
    const next = { identity: file.identity, watermark: 0, done: false, dropping: true };
    return { next, isReplaced, fresh: NOTHING, recent: NONE_RECENT };
  }
  const watermark = seen?.watermark ?? 0;
  const fresh = rowsAbove(file, watermark, maxRows);
  const done = fresh.count < maxRows;
  return {
    next: {
      identity: file.identity,
      // Ids above the last row belonged to rows that are deleted.
      watermark: done ? last : (fresh.last ?? watermark),
      done,
      dropping: false,
    },
    isReplaced,
    fresh,
    recent: done ? newestRows(file, watermark, RECENT) : NONE_RECENT,
  };
};

interface TextRow {
  readonly sessionId: string;
  readonly rowId: number;
  readonly text: string;
}

const textRows = ({ rows }: { readonly rows: readonly StateRow[] }): readonly TextRow[] =>
  rows.flatMap((row) => {
    const text = searchableText(row);
    return text === null ? [] : [{ sessionId: row.sessionId, rowId: row.rowId, text }];
  });

interface Change {
  /** Document to remove. */
  readonly docid: number | null;
  /** Row to index in its place. */
  readonly row: TextRow | null;
}

/** What the recent rows and their documents disagree about: rewritten, hidden, deleted or shown again. */
const changesOf = (docs: Docs, profile: string, recent: RecentRows): readonly Change[] => {
  const known = docs.rowsBetween(profile, recent.first, recent.last);
  const rows = new Map(textRows(recent).map((row) => [row.rowId, row]));
  const changes: Change[] = [];
  for (const [rowId, doc] of known) if (!rows.has(rowId)) changes.push({ docid: doc.docid, row: null });
  for (const [rowId, row] of rows) {
    const doc = known.get(rowId);
    if (doc?.chars !== row.text.length) changes.push({ docid: doc?.docid ?? null, row });
  }
  return changes;
};

const isSame = (a: Source | null, b: Source | null): boolean =>
  a?.identity === b?.identity &&
  a?.watermark === b?.watermark &&
  a?.done === b?.done &&
  a?.dropping === b?.dropping;

/** Local texts are whole messages; what is indexed of one is bounded all the same. */
const bounded = (doc: LocalDoc): LocalDoc => ({ ...doc, text: doc.text.slice(0, MAX_CHARS) });

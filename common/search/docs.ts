import type Database from "better-sqlite3";
import type { LocalDoc } from "./port.ts";
import { indexable, profileWord } from "./words.ts";

/** The statements that keep documents and their words together; to be called inside a transaction. */
export interface Docs {
  addRow(
    profile: string,
    row: { readonly sessionId: string; readonly rowId: number; readonly text: string },
  ): void;
  /** Replaces the document of the same message. */
  addLocal(doc: LocalDoc): void;
  /** Documents of rows from `first` up to `last`, by row id. */
  rowsBetween(profile: string, first: number, last: number): ReadonlyMap<number, RowDoc>;
  removeRow(docid: number): void;
  removeLocal(sessionId: string): void;
  removeAllLocal(profile: string): void;
  /** Removes up to `limit` documents of rows; answers how many there were. */
  removeSomeRows(profile: string, limit: number): number;
}

export interface RowDoc {
  readonly docid: number;
  readonly chars: number;
}

export const createDocs = (db: Database.Database): Docs => {
  const insert = db.prepare<[string, string, number | null, number]>(
    "insert into docs (profile, session_id, row_id, chars) values (?, ?, ?, ?)",
  );
  const insertWords = db.prepare<[number | bigint, string]>("insert into words (rowid, text) values (?, ?)");
  const insertLocal = db.prepare<[number | bigint, string, string, string, string, string, number]>(
    `insert into local_texts (docid, profile, session_id, message_id, role, text, created_at)
     values (?, ?, ?, ?, ?, ?, ?)`,
  );
  const between = db.prepare<[string, number, number], RowDoc & { row_id: number }>(
    "select row_id, docid, chars from docs where profile = ? and row_id between ? and ?",
  );
  const someRows = db
    .prepare<[string, number], number>(
      "select docid from docs where profile = ? and row_id is not null limit ?",
    )
    .pluck();
  const localOf = db.prepare<[string], number>("select docid from local_texts where session_id = ?").pluck();
  const localOfProfile = db
    .prepare<[string], number>("select docid from local_texts where profile = ?")
    .pluck();
  const localMessage = db
    .prepare<[string, string], number>(
      "select docid from local_texts where session_id = ? and message_id = ?",
    )
    .pluck();
  const removals = ["words where rowid", "docs where docid", "local_texts where docid"].map((place) =>
    db.prepare<[number]>(`delete from ${place} = ?`),
  );
  const remove = (docid: number): void => {
    for (const removal of removals) removal.run(docid);
  };
  const removeAll = (docids: readonly number[]): void => docids.forEach(remove);

  const add = (profile: string, sessionId: string, rowId: number | null, text: string): number | bigint => {
    const { lastInsertRowid } = insert.run(profile, sessionId, rowId, text.length);
    insertWords.run(lastInsertRowid, `${profileWord(profile)} ${indexable(text)}`);
    return lastInsertRowid;
  };
  return {
    addRow: (profile, { sessionId, rowId, text }) => void add(profile, sessionId, rowId, text),
    addLocal({ profile, sessionId, messageId, role, text, createdAt }) {
      removeAll(localMessage.all(sessionId, messageId));
      const docid = add(profile, sessionId, null, text);
      insertLocal.run(docid, profile, sessionId, messageId, role, text, createdAt);
    },
    rowsBetween: (profile, first, last) =>
      new Map(between.all(profile, first, last).map(({ row_id, ...doc }) => [row_id, doc])),
    removeRow: remove,
    removeLocal: (sessionId) => removeAll(localOf.all(sessionId)),
    removeAllLocal: (profile) => removeAll(localOfProfile.all(profile)),
    removeSomeRows(profile, limit) {
      const docids = someRows.all(profile, limit);
      removeAll(docids);
      return docids.length;
    },
  };
};

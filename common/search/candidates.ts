import type Database from "better-sqlite3";
import { matchExpression, type Term } from "./query.ts";

/** What the full-text table proposes: a document that held the words when it was indexed. */
export interface Candidate {
  readonly docid: number;
  readonly profile: string;
  readonly sessionId: string;
  /** Null for a local document. */
  readonly rowId: number | null;
}

export interface LocalText {
  readonly message_id: string;
  readonly role: string;
  readonly text: string;
  readonly created_at: number;
}

export interface CandidateReader {
  /** Candidates below a document, newest first; fewer than `limit` only at the end. */
  below(
    docid: number,
    query: { readonly terms: readonly Term[]; readonly profile?: string | undefined },
    limit: number,
  ): readonly Candidate[];
  /** Null if it was dropped since. */
  localText(docid: number): LocalText | null;
}

export const createCandidateReader = (db: Database.Database): CandidateReader => {
  // The full-text table gives its rows from the newest on by itself: no more of them are touched than are asked for.
  const find = db.prepare<[string, number, number], Candidate>(
    `select docs.docid, docs.profile, docs.session_id as sessionId, docs.row_id as rowId
     from words cross join docs on docs.docid = words.rowid
     where words match ? and words.rowid < cast(? as integer) order by words.rowid desc limit ?`,
  );
  const local = db.prepare<[number], LocalText>(
    "select message_id, role, text, created_at from local_texts where docid = ?",
  );
  return {
    below: (docid, { terms, profile }, limit) => find.all(matchExpression(terms, profile), docid, limit),
    localText: (docid) => local.get(docid) ?? null,
  };
};

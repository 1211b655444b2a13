import type { Trouble } from "../state-db/read/port.ts";
import type { Span } from "./match.ts";

/** One step of indexing a state.db. */
export interface IndexStep {
  /** Anything but "ok": the file cannot be read right now; nothing was changed, ask again later. */
  readonly state: "ok" | Trouble;
  /** Documents written or removed. */
  readonly indexed: number;
  /** There is more to do: call again. */
  readonly more: boolean;
}

/** A message that is in no state.db. The index keeps its text. */
export interface LocalDoc {
  readonly profile: string;
  readonly sessionId: string;
  readonly messageId: string;
  readonly text: string;
  readonly role: string;
  /** Epoch seconds. */
  readonly createdAt: number;
}

/** Files to read the hits from, by profile. A profile that is not here has no hits, local ones apart. */
export type StatePaths = Readonly<Record<string, string>>;

export interface SessionRef {
  readonly profile: string;
  /** The id in the state.db (a segment, not its conversation), or that of the session of a local document. */
  readonly sessionId: string;
}

export interface SearchQuery {
  /** As typed: all words must be there, the last one may be unfinished, quotes make phrases; nothing else is syntax. */
  readonly q: string;
  readonly profile?: string | undefined;
  readonly limit: number;
  readonly paths: StatePaths;
  /** Sessions to leave out. */
  readonly skip?: readonly SessionRef[] | undefined;
}

export interface SearchHit extends SessionRef {
  /** Null for a local document; then `messageId` is there. */
  readonly rowId: number | null;
  readonly uid: string | null;
  readonly messageId: string | null;
  readonly role: string;
  /** Plain text around the first match, on one line. */
  readonly snippet: string;
  /** Places in `snippet`, [start, end) in UTF-16 units, in order and without overlaps; never empty. */
  readonly matches: readonly Span[];
  /** Epoch seconds; 0 where the file has no time. */
  readonly createdAt: number;
  /** Goes on after this hit: for a caller that drops some of them and stops in the middle of a page. */
  readonly cursor: string;
}

export interface SearchPage {
  /** Newest first: by when they were indexed, which within a file is the order of its rows. */
  readonly hits: readonly SearchHit[];
  /**
   * Null at the end. A page can be shorter than asked for, even empty, and still have a next one: of hits that are gone by
   * now only so many are looked at in one call.
   */
  readonly next: string | null;
  /** Files that could not be read: their hits are missing. */
  readonly unread: Readonly<Record<string, Trouble>>;
}

export interface SessionMatches {
  /** One hit, the newest, for each session. */
  readonly hits: readonly SearchHit[];
  /** The call ended before all matches were looked at, by its limit or by its bound: there may be more sessions. */
  readonly cut: boolean;
  readonly unread: Readonly<Record<string, Trouble>>;
}

export interface IndexStatus {
  /** Highest row id that was looked at; 0 before the first step. */
  readonly watermark: number;
  /** The last step reached the end of the file. */
  readonly done: boolean;
}

/** Writes search.db. Synchronous: for a store thread of the role "own". */
export interface IndexOps {
  /**
   * Indexes up to `maxRows` further rows of the file, whatever lies below them. Looks at its newest rows again, because
   * prompts are rewritten after they were stored. Several processes may do it at once: each row gets one document.
   */
  indexSome(profile: string, path: string, maxRows: number): IndexStep;
  /**
   * Adds documents; one that is there already (session, message) is replaced. `mark` is kept in the same transaction, for
   * the caller to know where to go on: after search.db was made anew it is gone, like the documents.
   */
  indexLocal(docs: readonly LocalDoc[], mark?: string): void;
  /** Removes the local documents of a session; unknown ones are none. */
  dropLocal(sessionId: string): void;
  /** Removes everything of a profile. */
  forget(profile: string): void;
}

/** Reads search.db and the state.db files of the hits. Synchronous: for a store thread of the role "read". */
export interface SearchOps {
  /**
   * Hits whose text, as the file has it now, holds all words. Throws `invalid_request` for a cursor that is none of ours; a
   * query without words has no hits.
   */
  search(query: SearchQuery & { readonly cursor?: string | undefined }): SearchPage;
  /** Sessions with hits, newest hit first. */
  sessionsMatching(query: SearchQuery): SessionMatches;
  status(profile: string): IndexStatus;
  /** What the last `indexLocal` left; null before any. */
  localMark(): string | null;
}

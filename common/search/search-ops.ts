import type Database from "better-sqlite3";
import { TalariaError } from "../base/errors.ts";
import { decodePageCursor, encodePageCursor } from "../sqlite/page-cursor.ts";
import type { ReadFiles } from "../state-db/read/files.ts";
import { type Candidate, createCandidateReader } from "./candidates.ts";
import { keyOf, type LiveRows, readLive } from "./live.ts";
import { findMatches } from "./match.ts";
import type { SearchHit, SearchOps, SearchQuery, SessionRef } from "./port.ts";
import { parseQuery, type Term } from "./query.ts";
import { makeSnippet } from "./snippet.ts";
import { LOCAL_MARK, readSource } from "./sources.ts";
import { searchableText } from "./state-rows.ts";

/** Candidates whose text is read in one call, and candidates that are looked at at all: sessions to skip cost less. */
const MAX_READ = 2_000;
const MAX_SEEN = 20_000;
/** Candidates per statement beyond what is missing, for those that turn out to be gone. */
const SPARE = 8;
const MAX_BATCH = 256;

export const createSearchOps = (db: Database.Database, files: ReadFiles): SearchOps => {
  const candidates = createCandidateReader(db);
  const sourceOf = readSource(db);
  const mark = db.prepare<[string], string>("select value from marks where name = ?").pluck();

  /** Walks hits from the newest on; says where it stopped, null for the end. */
  const walk = (
    query: SearchQuery,
    before: number,
    onHit: (hit: SearchHit) => "next" | "skip" | "stop",
  ): Walked => {
    const terms = parseQuery(query.q);
    const live = readLive(files, query.paths);
    const skipped = new Set((query.skip ?? []).map(sessionKey));
    let at = before;
    let [read, seen] = [0, 0];
    while (terms.length > 0 && read < MAX_READ && seen < MAX_SEEN) {
      const size = Math.min(MAX_BATCH, Math.max(query.limit, read) + SPARE);
      const batch = candidates.below(at, { terms, profile: query.profile }, size);
      const wanted = batch.filter((candidate) => !skipped.has(sessionKey(candidate)));
      const texts = live.read(wanted);
      for (const candidate of wanted) {
        if (skipped.has(sessionKey(candidate))) continue;
        const hit = hitOf(candidate, texts, terms);
        if (hit === null) continue;
        const answer = onHit(hit);
        if (answer === "stop") return { stoppedAt: candidate.docid, unread: live.unread };
        if (answer === "skip") skipped.add(sessionKey(candidate));
      }
      at = batch.at(-1)?.docid ?? at;
      read += wanted.length;
      seen += batch.length;
      if (batch.length < size) return { stoppedAt: null, unread: live.unread };
    }
    return { stoppedAt: terms.length > 0 ? at : null, unread: live.unread };
  };

  const hitOf = (
    candidate: Candidate,
    texts: ReturnType<LiveRows["read"]>,
    terms: readonly Term[],
  ): SearchHit | null => {
    const found = candidate.rowId === null ? localHit(candidate) : rowHit(candidate, texts);
    const matches = found === null ? null : findMatches(found.text, terms);
    if (found === null || matches === null) return null;
    const { text, ...hit } = found;
    const { profile, docid } = candidate;
    return { profile, ...hit, ...makeSnippet(text, matches), cursor: encodePageCursor([docid]) };
  };

  const localHit = ({ docid, sessionId }: Candidate): Found | null => {
    const local = candidates.localText(docid);
    if (local === null) return null;
    const { message_id: messageId, role, text, created_at: createdAt } = local;
    return { sessionId, rowId: null, uid: null, messageId, role, text, createdAt };
  };

  return {
    search({ cursor, ...query }) {
      const hits: SearchHit[] = [];
      const { stoppedAt, unread } = walk(query, placeOf(cursor), (hit) => {
        hits.push(hit);
        return hits.length < query.limit ? "next" : "stop";
      });
      return { hits, next: stoppedAt === null ? null : encodePageCursor([stoppedAt]), unread };
    },
    sessionsMatching(query) {
      const hits: SearchHit[] = [];
      const { stoppedAt, unread } = walk(query, Number.MAX_SAFE_INTEGER, (hit) => {
        hits.push(hit);
        return hits.length < query.limit ? "skip" : "stop";
      });
      return { hits, cut: stoppedAt !== null, unread };
    },
    status(profile) {
      const source = sourceOf(profile);
      return { watermark: source?.watermark ?? 0, done: source?.done ?? false };
    },
    localMark: () => mark.get(LOCAL_MARK) ?? null,
  };
};

interface Walked {
  readonly stoppedAt: number | null;
  readonly unread: LiveRows["unread"];
}

type Found = Omit<SearchHit, "profile" | "snippet" | "matches" | "cursor"> & { readonly text: string };

/** Says whose session a row is by the row itself: the file may have been replaced. */
const rowHit = (candidate: Candidate, texts: ReturnType<LiveRows["read"]>): Found | null => {
  const row = texts.get(keyOf(candidate));
  const text = row === undefined ? null : searchableText(row);
  if (row === undefined || text === null) return null;
  const { sessionId, rowId, uid, role, createdAt } = row;
  return { sessionId, rowId, uid, messageId: null, role, text, createdAt: createdAt ?? 0 };
};

const sessionKey = ({ profile, sessionId }: SessionRef): string => `${profile}:${sessionId}`;

const placeOf = (cursor: string | undefined): number => {
  if (cursor === undefined) return Number.MAX_SAFE_INTEGER;
  const [docid] = decodePageCursor(cursor, ["number"]);
  if (typeof docid === "number" && Number.isSafeInteger(docid) && docid > 0) return docid;
  throw new TalariaError("invalid_request", "the cursor is not one of this list");
};

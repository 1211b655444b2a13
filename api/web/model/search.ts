import type { SearchAnswer, SearchHit } from "../../../common/contracts/http.ts";

/** Messages in which the words stand, beside the sessions of the list. */
export interface SearchState {
  readonly query: string;
  /** Only messages of this profile; null: of all. */
  readonly profile: string | null;
  readonly hits: readonly SearchHit[];
  readonly nextCursor: string | null;
  readonly indexing: boolean;
  readonly phase: "idle" | "loading" | "ready" | "failed";
}

export const NO_SEARCH: SearchState = {
  query: "",
  profile: null,
  hits: [],
  nextCursor: null,
  indexing: false,
  phase: "idle",
};

/** What was found stays on the screen until the next answer. */
export const searchFor = (search: SearchState, query: string, profile: string | null): SearchState =>
  query.trim() === "" ? NO_SEARCH : { ...search, query: query.trim(), profile, phase: "loading" };

/** The list is filtered in another way. A search knows of the profile alone: what it has found in it is the answer still. */
export const searchWithin = (search: SearchState, query: string, profile: string | null): SearchState =>
  search.phase === "ready" && search.profile === profile ? search : searchFor(search, query, profile);

export const searchLoaded = (
  search: SearchState,
  answer: Asked & { readonly page: SearchAnswer; readonly append: boolean },
): SearchState => {
  if (!isOf(search, answer)) return search; // an older search, answered late
  const { data, next_cursor, indexing } = answer.page;
  const found = data.filter((hit) => hit.message_id !== null); // titles are in the list already
  return {
    ...search,
    hits: answer.append ? [...search.hits, ...found] : found,
    nextCursor: next_cursor,
    indexing,
    phase: "ready",
  };
};

export const searchFailed = (search: SearchState, asked: Asked): SearchState =>
  isOf(search, asked) ? { ...search, phase: "failed" } : search;

type Asked = { readonly query: string; readonly profile: string | null };
const isOf = (search: SearchState, { query, profile }: Asked): boolean =>
  query === search.query && profile === search.profile;

export interface Segment {
  readonly text: string;
  readonly marked: boolean;
}

/** Cuts a snippet at its matches; ranges that overlap or lie outside are cut down to what is there. */
export const segmentsOf = (snippet: string, matches: readonly (readonly [number, number])[]): Segment[] => {
  const segments: Segment[] = [];
  let at = 0;
  for (const [from, to] of [...matches].sort((a, b) => a[0] - b[0])) {
    const start = Math.min(Math.max(at, from), snippet.length);
    const end = Math.min(to, snippet.length);
    if (end <= start) continue;
    if (start > at) segments.push({ text: snippet.slice(at, start), marked: false });
    segments.push({ text: snippet.slice(start, end), marked: true });
    at = end;
  }
  if (at < snippet.length) segments.push({ text: snippet.slice(at), marked: false });
  return segments;
};

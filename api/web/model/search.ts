import type { SearchAnswer, SearchHit } from "../../../common/contracts/http.ts";

/** Messages in which the words stand, beside the sessions of the list. */
export interface SearchState {
  readonly query: string;
  readonly hits: readonly SearchHit[];
  readonly nextCursor: string | null;
  readonly indexing: boolean;
  readonly phase: "idle" | "loading" | "ready" | "failed";
}

export const NO_SEARCH: SearchState = {
  query: "",
  hits: [],
  nextCursor: null,
  indexing: false,
  phase: "idle",
};

/** What was found stays on the screen until the next answer. */
export const searchFor = (search: SearchState, query: string): SearchState =>
  query.trim() === "" ? NO_SEARCH : { ...search, query: query.trim(), phase: "loading" };

export const searchLoaded = (
  search: SearchState,
  answer: { readonly query: string; readonly page: SearchAnswer; readonly append: boolean },
): SearchState => {
  if (answer.query !== search.query) return search; // an older search, answered late
  const { data, next_cursor, indexing } = answer.page;
  const found = data.filter((hit) => hit.message_id !== null); // titles are in the list already
  return {
    query: search.query,
    hits: answer.append ? [...search.hits, ...found] : found,
    nextCursor: next_cursor,
    indexing,
    phase: "ready",
  };
};

export const searchFailed = (search: SearchState, query: string): SearchState =>
  query === search.query ? { ...search, phase: "failed" } : search;

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

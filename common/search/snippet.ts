import type { Span } from "./match.ts";

export interface Snippet {
  /** Plain text on one line; "…" where something was left out. */
  readonly snippet: string;
  /** Matches inside `snippet`, [start, end) in UTF-16 units. */
  readonly matches: readonly Span[];
}

/** Length aimed at, and how much of it stands before the first match. */
const CHARS = 160;
const BEFORE = 48;
/** A cut moves by at most this much to fall between words. */
const SLACK = 16;

/** The surroundings of the first match. */
export const makeSnippet = (text: string, spans: readonly Span[]): Snippet => {
  const first = spans[0]?.[0] ?? 0;
  const from = startBefore(text, first);
  let snippet = from > 0 ? "…" : "";
  /** Place in the snippet of each unit from `from` on, and of the end. */
  const places: number[] = [];
  let to = from;
  let wordEnd = from;
  for (const char of iterate(text, from)) {
    if (snippet.length + char.length > CHARS) break;
    const isBlank = BLANK.test(char);
    if (isBlank) wordEnd = to;
    for (let unit = 0; unit < char.length; unit++) places.push(snippet.length + (isBlank ? 0 : unit));
    if (!isBlank) snippet += char;
    else if (!/(^|[ …])$/.test(snippet)) snippet += " ";
    to += char.length;
  }
  places.push(snippet.length);
  const isCut = text.slice(to, to + 4 * CHARS).trim() !== "";
  if (isCut && to - wordEnd <= SLACK && wordEnd > first) to = wordEnd;
  snippet = snippet.slice(0, places[to - from]).trimEnd();
  const matches = spans.flatMap(([start, end]): Span[] => {
    const place = places[start - from] ?? 0;
    const placeEnd = Math.min(places[Math.min(end, to) - from] ?? 0, snippet.length);
    return start >= from && start < to && placeEnd > place ? [[place, placeEnd]] : [];
  });
  // Same length: a half of a character that the file holds must not break the JSON around it.
  return { snippet: `${snippet}${isCut ? "…" : ""}`.toWellFormed(), matches };
};

const BLANK = /^[\s\p{Cc}]$/u;

/** Where to begin so that about `BEFORE` characters, blanks counted once, stand before the match. */
const startBefore = (text: string, first: number): number => {
  let from = first;
  let wordStart = first;
  for (let budget = BEFORE; from > 0 && budget > 0; budget--) {
    from -= isPair(text, from - 2) ? 2 : 1;
    if (!BLANK.test(text.charAt(from))) continue;
    wordStart = from + 1;
    while (from > 0 && BLANK.test(text.charAt(from - 1))) from--;
  }
  if (text.slice(0, from).trim() === "") return 0;
  // Rather a piece of a word than nothing of what stands before.
  return first - wordStart >= BEFORE - SLACK ? wordStart : from;
};

const isPair = (text: string, at: number): boolean => at >= 0 && (text.codePointAt(at) ?? 0) > 0xffff;

function* iterate(text: string, from: number): Generator<string> {
  for (let at = from; at < text.length; ) {
    const char = String.fromCodePoint(text.codePointAt(at) ?? 0);
    yield char;
    at += char.length;
  }
}

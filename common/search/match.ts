import type { Term } from "./query.ts";
import { type Words, wordsOf } from "./words.ts";

/** A place in a text: [start, end) in UTF-16 units. */
export type Span = readonly [start: number, end: number];

/**
 * Where the terms stand in a text, as whole words, in order and without overlaps; null unless each of them is there. The
 * full-text table only proposes: this decides, on the text as it is now.
 */
export const findMatches = (text: string, terms: readonly Term[]): readonly Span[] | null => {
  const words = wordsOf(text);
  const spans: Span[] = [];
  for (const term of terms) {
    const before = spans.length;
    for (let at = 0; at + term.words.length <= words.texts.length; at++)
      if (standsAt(words, at, term)) spans.push(spanOf(words, at, term.words.length));
    if (spans.length === before) return null;
  }
  return joined(spans);
};

const standsAt = ({ texts }: Words, at: number, { words, prefix }: Term): boolean => {
  for (const [offset, word] of words.entries()) {
    const found = texts[at + offset];
    if (found === word) continue;
    if (!prefix || offset < words.length - 1 || !found?.startsWith(word)) return false;
  }
  return true;
};

const spanOf = ({ places }: Words, at: number, length: number): Span => [
  places[2 * at] ?? 0,
  places[2 * (at + length) - 1] ?? 0,
];

const joined = (spans: readonly Span[]): readonly Span[] => {
  const result: Span[] = [];
  for (const [start, end] of spans.toSorted((a, b) => a[0] - b[0] || a[1] - b[1])) {
    const last = result.at(-1);
    if (last === undefined || start > last[1]) result.push([start, end]);
    else result[result.length - 1] = [last[0], Math.max(last[1], end)];
  }
  return result;
};

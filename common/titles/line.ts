import { oneLine } from "../base/text.ts";

/**
 * `text` as a label of at most `max` characters (UTF-16 units, as the contracts count): one line, nothing invisible that
 * turns or splits it, never cut inside what a reader sees as one character.
 */
export const labelOf = (text: string, max: number): string => {
  // More than this is never shown; a prompt may be a megabyte.
  const start = text.slice(0, MOST_READ);
  return cutBetween(oneLine(start.replace(INVISIBLE, "").replace(PILES, "$1").toWellFormed()), max).trimEnd();
};

/** At most `max` characters, ending between two graphemes. */
export const cutBetween = (text: string, max: number): string => {
  if (text.length <= max) return text;
  let end = 0;
  for (const { index, segment } of graphemes.segment(text.slice(0, max + LONGEST_GRAPHEME))) {
    if (index + segment.length > max) break;
    end = index + segment.length;
  }
  return text.slice(0, end);
};

const MOST_READ = 8_000;
/** Longer than any emoji; what looks longer is cut by `PILES` before. */
const LONGEST_GRAPHEME = 64;
/**
 * Overrides of the direction (security-contract 49), soft hyphens, zero-width spaces and byte order marks. Joiners stay:
 * Persian and emoji need them.
 */
const INVISIBLE = /[\u00AD\u200B\u202A-\u202E\u2066-\u2069\uFEFF]/g;
/** Letters under a pile of marks: no script needs more than this. */
const PILES = /(\p{M}{8})\p{M}+/gu;

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

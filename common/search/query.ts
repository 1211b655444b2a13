import { profileWord, wordsOf } from "./words.ts";

/** Words that must follow each other; with `prefix` the last one may be the beginning of a longer word. */
export interface Term {
  readonly words: readonly string[];
  readonly prefix: boolean;
}

/** What is read of a query; more than that nobody types. */
const MAX_CHARS = 1_000;
const MAX_TERMS = 32;

/**
 * Reads what a person typed: pieces between spaces must all be there, what stands in quotes is a phrase, and the last piece
 * may be unfinished unless its quote is closed. Nothing else has a meaning. Empty where there is no word to look for.
 */
export const parseQuery = (q: string): readonly Term[] => {
  const terms = new Map<string, Term>();
  // Every second piece stood in quotes; a last quote that is not closed is still being typed.
  const pieces = q.slice(0, MAX_CHARS).split(/["“”„]/);
  for (const [at, piece] of pieces.entries()) {
    const isQuoted = at % 2 === 1;
    for (const part of isQuoted ? [piece] : piece.split(/\s+/)) {
      const words = wordsOf(part).texts;
      if (words.length === 0) continue;
      const prefix = !isQuoted || at === pieces.length - 1;
      // Put at the end again, so that the last one typed is the last one here.
      terms.delete(words.join(" "));
      terms.set(words.join(" "), { words, prefix });
    }
  }
  const found = [...terms.values()].slice(0, MAX_TERMS);
  return found.map(({ words, prefix }, at) => ({ words, prefix: prefix && at === found.length - 1 }));
};

/**
 * The terms as an expression of the full-text table. Everything is inside quotes, and folded words hold none: no input can
 * become an operator.
 */
export const matchExpression = (terms: readonly Term[], profile: string | undefined): string =>
  [...(profile === undefined ? [] : [{ words: [profileWord(profile)], prefix: false }]), ...terms]
    .map(({ words, prefix }) => `"${words.join(" ").replaceAll('"', '""')}"${prefix ? " *" : ""}`)
    .join(" AND ");

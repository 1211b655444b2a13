/** Writing systems that are told apart, by their names in Unicode. */
const NAMES = [
  "Latin",
  "Cyrillic",
  "Greek",
  "Arabic",
  "Hebrew",
  "Devanagari",
  "Bengali",
  "Gurmukhi",
  "Gujarati",
  "Tamil",
  "Telugu",
  "Kannada",
  "Malayalam",
  "Sinhala",
  "Thai",
  "Lao",
  "Khmer",
  "Myanmar",
  "Georgian",
  "Armenian",
  "Ethiopic",
  "Hangul",
  "Han",
] as const;

/** Kana are Hiragana and Katakana together. */
export type Script = (typeof NAMES)[number] | "Kana";

const LETTERS: readonly (readonly [Script, RegExp])[] = [
  ...NAMES.map((name) => [name, new RegExp(`[\\p{Script=${name}}&&\\p{L}]`, "gv")] as const),
  // Behind Han: of scripts with as many letters the first one counts as the main one.
  ["Kana", /[[\p{Script=Hiragana}\p{Script=Katakana}ー]&&\p{L}]/gv],
];

/** Scripts that put no spaces between words. */
export const SPACELESS: readonly Script[] = ["Han", "Kana", "Thai", "Lao", "Khmer", "Myanmar"];

/** How many letters of each writing system are in a text; those without any are left out. */
export const lettersByScript = (text: string): ReadonlyMap<Script, number> =>
  new Map(
    LETTERS.map(([script, letters]) => [script, text.match(letters)?.length ?? 0] as const).filter(
      ([, count]) => count > 0,
    ),
  );

export const totalOf = (letters: ReadonlyMap<Script, number>): number =>
  [...letters.values()].reduce((sum, count) => sum + count, 0);

/** The one with the most letters; null without any. */
export const mainScript = (letters: ReadonlyMap<Script, number>): Script | null =>
  [...letters].reduce<readonly [Script | null, number]>(
    (best, next) => (next[1] > best[1] ? next : best),
    [null, 0],
  )[0];

/** Writing systems that are told apart. Kana are Hiragana and Katakana together. */
const LETTERS = {
  Latin: /[\p{Script=Latin}&&\p{L}]/gv,
  Cyrillic: /[\p{Script=Cyrillic}&&\p{L}]/gv,
  Greek: /[\p{Script=Greek}&&\p{L}]/gv,
  Arabic: /[\p{Script=Arabic}&&\p{L}]/gv,
  Hebrew: /[\p{Script=Hebrew}&&\p{L}]/gv,
  Devanagari: /[\p{Script=Devanagari}&&\p{L}]/gv,
  Bengali: /[\p{Script=Bengali}&&\p{L}]/gv,
  Gurmukhi: /[\p{Script=Gurmukhi}&&\p{L}]/gv,
  Gujarati: /[\p{Script=Gujarati}&&\p{L}]/gv,
  Tamil: /[\p{Script=Tamil}&&\p{L}]/gv,
  Telugu: /[\p{Script=Telugu}&&\p{L}]/gv,
  Kannada: /[\p{Script=Kannada}&&\p{L}]/gv,
  Malayalam: /[\p{Script=Malayalam}&&\p{L}]/gv,
  Sinhala: /[\p{Script=Sinhala}&&\p{L}]/gv,
  Thai: /[\p{Script=Thai}&&\p{L}]/gv,
  Lao: /[\p{Script=Lao}&&\p{L}]/gv,
  Khmer: /[\p{Script=Khmer}&&\p{L}]/gv,
  Myanmar: /[\p{Script=Myanmar}&&\p{L}]/gv,
  Georgian: /[\p{Script=Georgian}&&\p{L}]/gv,
  Armenian: /[\p{Script=Armenian}&&\p{L}]/gv,
  Ethiopic: /[\p{Script=Ethiopic}&&\p{L}]/gv,
  Hangul: /[\p{Script=Hangul}&&\p{L}]/gv,
  Han: /[\p{Script=Han}&&\p{L}]/gv,
  Kana: /[[\p{Script=Hiragana}\p{Script=Katakana}ー]&&\p{L}]/gv,
} as const satisfies Record<string, RegExp>;

export type Script = keyof typeof LETTERS;

/** Scripts that put no spaces between words. */
export const SPACELESS: readonly Script[] = ["Han", "Kana", "Thai", "Lao", "Khmer", "Myanmar"];

/** How many letters of each writing system are in a text; those without any are left out. */
export const lettersByScript = (text: string): ReadonlyMap<Script, number> =>
  new Map(
    Object.entries(LETTERS)
      .map(([script, letters]) => [script as Script, text.match(letters)?.length ?? 0] as const)
      .filter(([, count]) => count > 0),
  );

export const totalOf = (letters: ReadonlyMap<Script, number>): number =>
  [...letters.values()].reduce((sum, count) => sum + count, 0);

/** The one with the most letters; null without any. */
export const mainScript = (letters: ReadonlyMap<Script, number>): Script | null =>
  [...letters].reduce<readonly [Script | null, number]>(
    (best, next) => (next[1] > best[1] ? next : best),
    [null, 0],
  )[0];

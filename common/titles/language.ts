import { chineseMarks } from "./han.ts";
import { LANGUAGES, type LanguageCode, wordsOf } from "./languages.ts";
import { proseOf, readText } from "./prose.ts";

/**
 * True when a title is certainly not in the language of the user's text though it has its script. Told by words without which
 * hardly a sentence is made, and by letters: trained detectors guess on three words, and a good title must not be lost to
 * a guess. Whatever speaks for the user's language, or nothing at all, means false.
 */
export const isOtherLanguage = (title: string, userText: string): boolean => {
  const prose = proseOf(userText);
  return (
    isOtherLatin(title, prose, userText) || isOtherCyrillic(title, prose) || isOtherEastAsian(title, prose)
  );
};

/** The language of a text in Latin letters; null when it cannot be told (too short, or two are as likely). */
export const latinLanguage = (text: string, sure: number = SURE): LanguageCode | null => {
  const words = new Set(wordsOf(text));
  const folded = text.normalize("NFC").toLowerCase();
  const scores = CODES.map((code) => ({ code, score: scoreOf(code, words, folded) })).sort(
    (a, b) => b.score - a.score,
  );
  const [best, second] = scores;
  if (best === undefined || best.score < sure || best.score < (second?.score ?? 0) * LEAD) return null;
  return best.code;
};

/** Words that say nothing about a topic, in one language. */
export const stopWords = (code: LanguageCode): ReadonlySet<string> => TABLES[code].all;

/** Points that make a language certain, and how far it must lead. */
const SURE = 1.5;
const LEAD = 1.5;

interface Table {
  readonly words: ReadonlySet<string>;
  readonly inNames: ReadonlySet<string>;
  readonly all: ReadonlySet<string>;
}

const CODES = Object.keys(LANGUAGES) as LanguageCode[];
const setOf = (words: string): ReadonlySet<string> => new Set(words.trim().split(/\s+/));
const TABLES = Object.fromEntries(
  CODES.map((code): [LanguageCode, Table] => {
    const { words, inNames, fillers } = LANGUAGES[code];
    return [code, { words: setOf(words), inNames: setOf(inNames), all: setOf(`${words} ${fillers}`) }];
  }),
) as Record<LanguageCode, Table>;

/** In how many languages a word is such a word. */
const OWNERS = new Map<string, number>();
for (const { all } of Object.values(TABLES))
  for (const word of all) OWNERS.set(word, (OWNERS.get(word) ?? 0) + 1);

const scoreOf = (code: LanguageCode, words: ReadonlySet<string>, folded: string): number => {
  let score = LANGUAGES[code].letters.test(folded) ? 1 : 0;
  for (const word of words) if (TABLES[code].all.has(word)) score += 1 / (OWNERS.get(word) ?? 1);
  return score;
};

/** AI, MIT, WHO and US are words only in small letters. */
const ACRONYMS = /(?<![\p{L}\p{N}])\p{Lu}{2,}(?![\p{L}\p{N}])/gu;

const isOtherLatin = (title: string, prose: string, userText: string): boolean => {
  const titleWords = [...new Set(wordsOf(title.replace(ACRONYMS, " ")))];
  if (titleWords.length < 3) return false;
  const user = latinLanguage(prose);
  if (user === null) return false;
  const userWords = new Set(wordsOf(readText(userText)));
  const fresh = titleWords.filter((word) => !userWords.has(word));
  return CODES.some((other) => other !== user && speaksFor(other, user, titleWords, fresh));
};

/** Whether a title has what makes it `other`, and nothing of `user`. What the user wrote as well proves nothing. */
const speaksFor = (
  other: LanguageCode,
  user: LanguageCode,
  titleWords: readonly string[],
  fresh: readonly string[],
): boolean => {
  const { words, inNames, all } = TABLES[other];
  const own = titleWords.some(
    (word) =>
      (word.length >= 2 && TABLES[user].all.has(word) && !all.has(word)) ||
      LANGUAGES[user].letters.test(word) ||
      (word.length >= 5 && LANGUAGES[user].endings.test(word)),
  );
  if (own) return false;
  const hits = fresh.filter((word) => words.has(word) && !TABLES[user].all.has(word));
  const letters = fresh.some((word) => LANGUAGES[other].letters.test(word)) ? 1 : 0;
  const strong = hits.filter((word) => !inNames.has(word)).length;
  // English is what models slip into. For any other language one word is too little: it may as well be a name.
  return strong + letters > 0 && (hits.length + letters >= 2 || (other === "en" && strong > 0));
};

/** Russian and Ukrainian have letters that the other has not. */
const isOtherCyrillic = (title: string, prose: string): boolean => {
  const [user, said] = [cyrillicOf(prose), cyrillicOf(title)];
  return user !== null && said !== null && user !== said;
};

const cyrillicOf = (text: string): "russian" | "ukrainian" | null => {
  const [russian, ukrainian] = [/[ыэъё]/i.test(text), /[іїєґ]/i.test(text)];
  if (russian === ukrainian) return null;
  return russian ? "russian" : "ukrainian";
};

/** Kana make a text Japanese; Han without kana is Chinese where its characters say so. */
const isOtherEastAsian = (title: string, prose: string): boolean => {
  if (isJapanese(prose)) return !KANA.test(title) && chineseMarks(withoutCommon(title, prose)) > 0;
  const chinese = chineseMarks(prose) > 0 && !KANA.test(prose);
  // A single の is fashion in Chinese.
  return chinese && (title.match(/\p{Script=Hiragana}/gu)?.length ?? 0) >= 2;
};

const KANA = /[\p{Script=Hiragana}\p{Script=Katakana}]/u;

/** True for Han mixed with kana as Japanese is. */
export const isJapanese = (text: string): boolean => {
  const kana = text.match(/[\p{Script=Hiragana}\p{Script=Katakana}]/gu)?.length ?? 0;
  const han = text.match(/\p{Script=Han}/gu)?.length ?? 0;
  return kana >= 2 && kana * 10 >= kana + han;
};

/** Names that the user wrote in old characters are no Chinese. */
const withoutCommon = (title: string, prose: string): string =>
  [...title].filter((char) => !prose.includes(char)).join("");

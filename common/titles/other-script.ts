import { isBorrowed, LATIN_WORDS, latinWords } from "./borrowed.ts";
import { chineseMarks } from "./han.ts";
import { isJapanese } from "./language.ts";
import { proseOf, readText } from "./prose.ts";
import { lettersByScript, mainScript, type Script, totalOf } from "./scripts.ts";

/**
 * True when a title is in another writing system than the user's text: at least 35 % of its letters, and at least 2, once
 * borrowed words are set aside (background-jobs 1.3). False where no script makes up 60 % of that text.
 */
export const isOtherScript = (candidate: string, userText: string): boolean => {
  const own = userScripts(userText);
  if (own === null) return false;
  const { native, names } = own.has("Latin")
    ? { native: candidate, names: 0 }
    : withoutBorrowed(candidate, userText);
  const letters = lettersByScript(native);
  const total = totalOf(letters);
  if (total === 0) return names > LONE_NAMES;
  const foreign = [...letters].reduce((sum, [script, count]) => sum + (own.has(script) ? 0 : count), 0);
  return foreign >= FOREIGN_LETTERS && foreign / total >= FOREIGN_SHARE;
};

/** Exact limits of background-jobs 1.3. */
const FOREIGN_SHARE = 0.35;
const FOREIGN_LETTERS = 2;
const USER_SHARE = 0.6;
/** Letters of another script after which a text full of Latin names, errors and code may well be written in that one. */
const ALSO_WRITTEN = 8;
const ALSO_WRITTEN_HAN = 4;
/** Borrowed words that may stand alone as a title; more of them are a title in English. */
const LONE_NAMES = 3;
/** Capitalised words that nobody knows pass as names, one for every two letters of the user's script around them, two at most. */
const LETTERS_PER_NAME = 2;
const UNKNOWN_NAMES = 2;

/** The scripts of a title that suits the user's text; null when no script makes up most of that text. */
const userScripts = (userText: string): ReadonlySet<Script> | null => {
  const prose = withoutNames(proseOf(userText));
  const letters = lettersByScript(prose);
  const total = totalOf(letters);
  const main = mainScript(letters);
  if (main === null || total < FOREIGN_LETTERS) return null;
  const japanese = isJapanese(prose) || (main === "Han" && chineseMarks(prose) === 0);
  const system: readonly Script[] =
    japanese && (main === "Han" || main === "Kana") ? ["Han", "Kana"] : [main];
  const share = system.reduce((sum, script) => sum + (letters.get(script) ?? 0), 0) / total;
  if (share < USER_SHARE) return null;
  if (main !== "Latin") return new Set(system);
  const also = [...letters].filter(
    ([script, count]) => count >= (script === "Han" || script === "Hangul" ? ALSO_WRITTEN_HAN : ALSO_WRITTEN),
  );
  return new Set([main, ...also.map(([script]) => script)]);
};

/** Text in another script without the technical names in it, which are Latin in every language. */
const withoutNames = (prose: string): string =>
  prose.replace(LATIN_WORDS, "").search(/\p{L}/u) < 0
    ? prose
    : prose.replace(LATIN_WORDS, (word) => (isBorrowed(word, NOTHING) ? " " : word));

const NOTHING: ReadonlySet<string> = new Set();

/** A title without its borrowed Latin words, and how many those were. */
const withoutBorrowed = (
  title: string,
  userText: string,
): { readonly native: string; readonly names: number } => {
  const userWords = latinWords(readText(userText));
  const nativeLetters = totalOf(lettersByScript(title.replace(LATIN_WORDS, "")));
  let unknown = Math.min(UNKNOWN_NAMES, Math.floor(nativeLetters / LETTERS_PER_NAME));
  let names = 0;
  const native = title.replace(LATIN_WORDS, (word) => {
    const known = isBorrowed(word.replace(/[.'’/-]+$/, ""), userWords);
    if (!known && !(/^\p{Lu}/u.test(word) && unknown-- > 0)) return word;
    names++;
    return " ";
  });
  return { native, names };
};

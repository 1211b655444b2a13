/**
 * The words of a text, as index, query and snippet all see them: runs of letters and digits, folded (`fold`). Scripts that
 * are written without spaces give one word per character, so that any piece of them can be found as a phrase. A picture
 * character (emoji) is a word too.
 */
export interface Words {
  /** Folded. */
  readonly texts: readonly string[];
  /** Where the words stand: start of word n at 2n, its end at 2n + 1, in UTF-16 units. */
  readonly places: readonly number[];
}

export const wordsOf = (text: string): Words => {
  const texts: string[] = [];
  const places: number[] = [];
  for (const { 0: raw, index } of text.matchAll(isAscii(text) ? ASCII_WORD : WORD)) {
    const folded = fold(raw);
    if (folded === "") continue;
    texts.push(folded);
    places.push(index, index + raw.length);
  }
  return { texts, places };
};

/** The text in the form that the full-text table gets: its tokenizer then finds the same words. */
export const indexable = (text: string): string =>
  // Almost everything is ASCII, and there the tokenizer agrees with us by itself.
  isAscii(text) && !LONG_WORD.test(text) ? text : wordsOf(text).texts.join(" ");

/**
 * A word that no text can hold, because private-use characters are left out of words: it says whose document this is.
 * Searching one small profile then costs no look at the others.
 */
export const profileWord = (profile: string): string => `\uE001${Buffer.from(profile).toString("hex")}`;

/** Longer words (encoded data, mostly) count by their beginning. */
const MAX_WORD = 64;
const LONG_WORD = new RegExp(`[0-9A-Za-z]{${MAX_WORD + 1}}`);

/** Scripts whose words are not set apart by spaces; and Hangul, where particles hang on to words. */
const UNSPACED = String.raw`[[\p{L}\p{N}]&&[\p{scx=Hani}\p{scx=Hira}\p{scx=Kana}\p{scx=Bopo}\p{scx=Hang}\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}]]`;
const PICTURE = String.raw`\p{RI}\p{RI}|[\p{Extended_Pictographic}--[©®™]]`;
const WORD = new RegExp(
  String.raw`${UNSPACED}\p{M}*|(?!${UNSPACED})[\p{L}\p{N}][[\p{L}\p{N}\p{M}]--${UNSPACED}]*|${PICTURE}`,
  "gv",
);
const ASCII_WORD = /[0-9A-Za-z]+/g;
const IS_PICTURE = new RegExp(`^(?:${PICTURE})`, "v");

// biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII begins with them.
const ASCII = /^[\x00-\x7f]*$/;
const isAscii = (text: string): boolean => ASCII.test(text);

/** Without case, compatibility forms and accents; vowel signs that are part of a script's spelling stay. */
const fold = (raw: string): string => {
  if (isAscii(raw)) return raw.slice(0, MAX_WORD).toLowerCase();
  // The tokenizer's tables are older than many pictures: they are spelled out as a private word.
  if (IS_PICTURE.test(raw))
    return `\uE000${[...raw].map((char) => char.codePointAt(0)?.toString(16)).join("")}`;
  const cut = raw
    .slice(0, 4 * MAX_WORD)
    .normalize("NFKD")
    .replace(ACCENTS, "")
    .normalize("NFC");
  // By way of capitals: ß and SS, both small sigmas and the dotless i become one.
  return [...cut.toUpperCase().toLowerCase().replaceAll("ς", "σ")].slice(0, MAX_WORD).join("");
};

/** Combining accents, Hebrew points, Arabic vowel signs; not the marks that make another kana. */
const ACCENTS = /[[\p{Mn}&&[\p{sc=Zinh}\p{sc=Hebr}\p{sc=Arab}]]--[\u{3099}\u{309A}]]+/gv;

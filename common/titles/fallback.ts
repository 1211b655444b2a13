import { latinLanguage, stopWords } from "./language.ts";
import { labelOf } from "./line.ts";
import { OTHER_STOP_WORDS } from "./other-stop-words.ts";
import { proseIn, spokenText } from "./prose.ts";
import { lettersByScript, mainScript, SPACELESS } from "./scripts.ts";

/** Limits of B-16. */
const FALLBACK_CHARS = 60;
const MAX_WORDS = 4;
const MIN_LETTERS = 3;
/** A character of Han or kana says as much as a short word. */
const EXCERPT_CHARS = 30;

/**
 * A label from the user's own words, without any model: up to 4 distinct words of substance, or the beginning of what was said
 * where a script has no spaces (B-16). null when nothing useful remains: then the provisional title stays.
 */
export const fallbackTitle = (userText: string): string | null => {
  const spoken = spokenText(userText);
  const main = mainScript(lettersByScript(proseIn(spoken)));
  const label =
    main !== null && SPACELESS.includes(main)
      ? excerpt(spoken, main === "Han" || main === "Kana")
      : keywords(spoken);
  return label === "" ? null : label;
};

const keywords = (text: string): string => {
  const language = latinLanguage(text, 1) ?? "en";
  const skipped = stopWords(language);
  const chosen = new Map<string, string>();
  let length = 0;
  for (const run of text.replace(/[`*~]+/g, " ").split(/\s+/)) {
    const word = wordOf(run);
    const folded = word.toLowerCase().replaceAll("’", "'");
    if (lettersIn(word) < MIN_LETTERS || chosen.has(folded) || saysNothing(folded, skipped)) continue;
    if (length + word.length + 1 > FALLBACK_CHARS && chosen.size > 0) break;
    chosen.set(folded, word);
    length += word.length + 1;
    if (chosen.size === MAX_WORDS) break;
  }
  const [only] = chosen.keys();
  if (chosen.size === 1 && only !== undefined && ERRANDS.has(only)) return "";
  return labelOf([...chosen.values()].join(" "), FALLBACK_CHARS);
};

/** Also "peux-tu" and "m'aider", whose parts all say nothing. */
const saysNothing = (word: string, skipped: ReadonlySet<string>): boolean =>
  skipped.has(word) ||
  OTHER_STOP_WORDS.has(word) ||
  (/['-]/.test(word) && word.split(/['-]/).every((part) => part.length < MIN_LETTERS || skipped.has(part)));

/** What to do without with what: no label alone. */
const ERRANDS = new Set(
  `explain write show create fix make summarize summarise translate check run describe review continue
  erkläre schreibe zeige übersetze explique écris traduis escribe traduce`.split(/\s+/),
);

/** A run between spaces without the punctuation around it; of a path its last part; "" for code. */
const wordOf = (run: string): string => {
  const bare = run.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}\p{M}+#]+$/gu, "");
  const word =
    bare.includes("/") && /[./].*\//.test(run)
      ? (bare.split("/").findLast((part) => part !== "") ?? "")
      : bare;
  return /[{}<>=;\\|$[\]]|\(\)|::/.test(word) || word.length > FALLBACK_CHARS ? "" : word;
};

/** A syllable of Hangul counts as the letters it is made of; vowel signs of Indic scripts and Hebrew points count as well. */
const lettersIn = (word: string): number =>
  (/\p{Script=Hangul}/u.test(word) ? word.normalize("NFD") : word).match(/[\p{L}\p{M}]/gu)?.length ?? 0;

/** The first sentence, ending between two words as the platform's dictionaries see them. */
const excerpt = (text: string, dense: boolean): string => {
  const bare = text.trim().replace(GREETING, "");
  const sentence = bare.split(/[。！？!?\r\n]/u).find((part) => /\p{L}/u.test(part)) ?? "";
  const line = labelOf(sentence, sentence.length);
  const max = dense ? EXCERPT_CHARS : FALLBACK_CHARS;
  let end = 0;
  for (const { index, segment } of new Intl.Segmenter(dense ? "ja" : "th", { granularity: "word" }).segment(
    line,
  )) {
    if (index + segment.length > max) break;
    end = index + segment.length;
  }
  return labelOf(end === 0 ? line : line.slice(0, end), max).replace(
    /[\p{P}\s]+$/u,
    (marks) => /[）)」』】》”]/u.exec(marks)?.[0] ?? "",
  );
};

const GREETINGS = [
  ...["你好", "您好", "哈囉", "嗨", "早上好", "请问", "請問", "麻烦[你您]?", "麻煩[你您]?"],
  ...[
    "请[你您]?(?:帮[我忙])?",
    "請[你您]?(?:幫[我忙])?",
    "こんにちは",
    "こんばんは",
    "おはようございます",
    "はじめまして",
  ],
  ...["すみません", "すいません", "สวัสดี(?:ครับ|ค่ะ|คะ)?"],
];
const GREETING = new RegExp(`^(?:(?:${GREETINGS.join("|")})[\\s，,。、！!~～：:]*)+`, "u");

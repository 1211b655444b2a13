import { labelOf } from "./line.ts";
import { answerText } from "./visible-text.ts";

const TITLE_CHARS = 80;

/**
 * A model's answer as a title: the line that holds it, without thinking, prefixes such as "Title:", quotation marks, markup
 * and a full stop (background-jobs 1.3). At most 80 characters; "" when nothing is left.
 */
export const cleanTitle = (raw: string): string => {
  const text = answerText(raw).slice(0, MOST_READ);
  let title = labelOf(fromJson(text) ?? titleLine(text), MOST_READ);
  // Layers come in any order: **Title:** "…".
  for (let before = ""; before !== title; ) {
    before = title;
    for (const peel of PEELS) title = peel(title).trim();
  }
  return labelOf(title, TITLE_CHARS);
};

const MOST_READ = 2_000;

/** Some models answer an object whatever was asked of them. */
const fromJson = (text: string): string | null => {
  const inner = text.replace(/^```(?:json)?\s*|\s*```$/g, "");
  if (!inner.startsWith("{")) return null;
  try {
    const { title } = JSON.parse(inner) as { readonly title?: unknown };
    return typeof title === "string" ? title : null;
  } catch {
    return null;
  }
};

/** The first line with something on it that does not only announce the next one. */
const titleLine = (text: string): string => {
  const lines = text.split(/[\r\n]+/).filter((line) => /[\p{L}\p{N}]/u.test(line) && !/^\s*```/.test(line));
  const [first = "", second] = lines;
  if (second === undefined) return first;
  const announces =
    /[:：]\W*$/u.test(first) || WORDS_FOR_TITLE.test(first.replace(/[^\p{L}\s]/gu, "").trim());
  const line = announces ? second : first;
  // Of several suggestions the first one; a lone "1. FC Köln" keeps its number.
  return lines.length > 1 ? line.replace(/^\s*\d{1,2}[.)]\s+/, "") : line;
};

const TITLE_WORDS = [
  "(?:(?:conversation|chat|session|suggested|short) )?(?:title|topic|subject)",
  ...[
    "titel",
    "thema",
    "titre",
    "sujet",
    "t[ií]tulo",
    "tema",
    "titolo",
    "rubrik",
    "otsikko",
    "tytuł",
    "název",
    "titlu",
    "cím",
    "başlık",
  ],
  ...[
    "judul",
    "tiêu đề",
    "заголовок",
    "название",
    "тема",
    "назва",
    "заглавие",
    "τίτλος",
    "כותרת",
    "العنوان",
    "عنوان",
    "शीर्षक",
  ],
  ...["标题", "標題", "题目", "題目", "主题", "主題", "タイトル", "件名", "제목", "หัวข้อ", "ชื่อเรื่อง"],
].join("|");
const WORDS_FOR_TITLE = new RegExp(`^(?:${TITLE_WORDS})$`, "iu");
const PREFIX = new RegExp(`^(?:${TITLE_WORDS})\\s*[:：]\\s*`, "iu");

/** Opening and closing marks that may stand around a whole title. */
const PAIRS = `"" '' “” „“ „” ”” ‘’ ‚‘ «» »« ‹› 「」 『』 《》 【】 \`\` []`
  .split(" ")
  .map((pair) => [pair.charAt(0), pair.charAt(1)] as const);

const PEELS: readonly ((text: string) => string)[] = [
  (text) => text.replace(/^(?:#{1,6}|>|[-*•–])\s+/, ""),
  (text) => text.replace(/^<([a-z][a-z0-9-]*)>(.*)<\/\1>$/isu, "$2"),
  (text) => text.replace(/^\[([^\]]+)\]\([^)\s]*\)$/, "$1"),
  (text) => text.replace(/(\*\*|~~)(?=\S)(.+?)(?<=\S)\1/gu, "$2"),
  (text) => text.replace(/^([*_]|__)(?=[^\s*_])([^*_]+)(?<=[^\s*_])\1$/u, "$2"),
  (text) => text.replace(/`([^`]+)`/g, "$1"),
  (text) => text.replace(PREFIX, ""),
  (text) => {
    const pair = PAIRS.find(
      ([open, close]) => text.length > 2 && text.startsWith(open) && text.endsWith(close),
    );
    const inner = text.slice(1, -1);
    // "A" and "B" are two quotations, not one.
    return pair === undefined || inner.includes(pair[0]) || inner.includes(pair[1]) ? text : inner;
  },
  (text) => text.replace(/(?<![.。．])[.。．]$|[,;:，；：、]$/u, ""),
];

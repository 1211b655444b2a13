import MarkdownIt, { type Token } from "markdown-it";
import { fenced } from "./code.ts";

/**
 * A message's Markdown as it may stand among others in one document: its raw HTML is turned into text, a code block that
 * it left open is closed. So an unfinished answer or a pasted `<!--` cannot swallow what follows. Expects clean text.
 */
export const containMarkdown = (text: string): string => {
  if (text.length > MAX_PARSED) return fenced(text);
  const contained = closeFence(escapeTags(text, { spans: true }));
  return hasHtml(contained) ? closeFence(escapeTags(text, { spans: false })) : contained;
};

/** Characters of a text that is still read as Markdown: far more than people or models write in one message. */
export const MAX_PARSED = 500_000;

const withoutHtml = new MarkdownIt({ html: false });
const withHtml = new MarkdownIt({ html: true });

const hasHtml = (text: string): boolean =>
  TAG.test(text) &&
  withHtml
    .parse(text, {})
    .some(
      (token) => token.type === "html_block" || token.children?.some(({ type }) => type === "html_inline"),
    );

/**
 * Escapes every `<` that could begin a tag outside of code. With `spans`, code inside of a line is recognised as well;
 * without it, only blocks of code are left alone: what is shown then is less faithful, but surely no HTML.
 */
const escapeTags = (text: string, { spans }: { readonly spans: boolean }): string => {
  if (!TAG.test(text)) return text;
  const lines = text.split("\n");
  const done: string[] = [];
  const copyTo = (end: number, change: (part: string) => string): void => {
    if (end <= done.length) return;
    done.push(...change(lines.slice(done.length, end).join("\n")).split("\n"));
  };
  for (const token of withoutHtml.parse(text, {})) {
    if (token.map === null || !["fence", "code_block", "inline"].includes(token.type)) continue;
    const [start, end] = token.map;
    copyTo(start, escapeAll);
    copyTo(end, token.type !== "inline" ? (code) => code : spans ? escapeOutsideSpans : escapeAll);
  }
  copyTo(lines.length, escapeAll);
  return done.join("\n");
};

/** What CommonMark may take for HTML. Links in angle brackets are none. */
const TAG = /<(?=[A-Za-z/!?])(?!https?:\/\/[^\s<>]*>)/;
const TAGS = new RegExp(TAG, "g");

const escapeAll = (text: string): string => text.replace(TAGS, "&lt;");

/** A run of backticks opens code if a run of the same length follows; an escaped one is text. */
const escapeOutsideSpans = (text: string): string => {
  const endOf = createSpanEnds(text);
  const piece = /`+|\\[\s\S]/g;
  let result = "";
  let from = 0;
  for (let found = piece.exec(text); found !== null; found = piece.exec(text)) {
    const end = found[0].startsWith("\\") ? piece.lastIndex : endOf(found.index, found[0].length);
    if (end === null) continue;
    result += escapeAll(text.slice(from, found.index)) + text.slice(found.index, end);
    from = end;
    piece.lastIndex = end;
  }
  return result + escapeAll(text.slice(from));
};

/** Tells where the code that a run opens ends; null if nothing closes it. Asked from left to right. */
const createSpanEnds = (text: string): ((start: number, length: number) => number | null) => {
  const runs = new Map<number, number[]>();
  for (const { index, 0: run } of text.matchAll(/`+/g)) {
    const known = runs.get(run.length);
    if (known === undefined) runs.set(run.length, [index]);
    else known.push(index);
  }
  const passed = new Map<number, number>();
  return (start, length) => {
    const places = runs.get(length) ?? [];
    let at = passed.get(length) ?? 0;
    while (at < places.length && (places[at] ?? 0) <= start) at++;
    passed.set(length, at);
    const end = places[at];
    return end === undefined ? null : end + length;
  };
};

/** Only a fence of the outermost level reaches into the next message; others end with their quote or list. */
const closeFence = (text: string): string => {
  if (!text.includes("```") && !text.includes("~~~")) return text;
  const lines = text.split("\n");
  const last = withoutHtml.parse(text, {}).findLast(({ level }) => level === 0);
  if (last?.type !== "fence" || isClosed(last, lines)) return text;
  return `${text}\n${last.markup}`;
};

const isClosed = ({ map, markup }: Token, lines: readonly string[]): boolean => {
  if (map === null || map[1] - map[0] < 2) return false;
  const end = (lines[map[1] - 1] ?? "").trim();
  return end.length >= markup.length && end === (markup[0] ?? "").repeat(end.length);
};

import { MAX_RECAP_BULLET_CHARS, MAX_RECAP_BULLETS } from "../contracts/recap.ts";
import { isOtherLanguage } from "../titles/language.ts";
import { labelOf } from "../titles/line.ts";
import { isOtherScript } from "../titles/other-script.ts";
import type { Said } from "./said.ts";

export type RecapVerdict =
  | { readonly accepted: true; readonly bullets: readonly string[] }
  | { readonly accepted: false; readonly reason: "cut" | "no_bullets" | "other_script" | "wrong_language" };

const MIN_BULLETS = 2;

/**
 * The bullets of a model's answer, as plain text: two to five, bounded, none twice. Refused when there are fewer, or when they are not
 * in the language of what the person wrote, where that can be told. `cut`: the last line of the answer is not whole.
 */
export const acceptRecap = (answer: string, cut: boolean, said: readonly Said[]): RecapVerdict => {
  const lines = answer.split("\n");
  const bullets = bulletsIn(cut ? lines.slice(0, -1) : lines);
  if (bullets.length < MIN_BULLETS) return { accepted: false, reason: cut ? "cut" : "no_bullets" };
  const own = said.filter(({ role }) => role === "user").map(({ text }) => text);
  const text = (own.length > 0 ? own : said.map((one) => one.text)).join("\n");
  const told = bullets.join("\n");
  if (isOtherScript(told, text)) return { accepted: false, reason: "other_script" };
  if (isOtherLanguage(told, text)) return { accepted: false, reason: "wrong_language" };
  return { accepted: true, bullets };
};

/** Lines that are marked as bullets; where none is, every line is one. */
const bulletsIn = (lines: readonly string[]): readonly string[] => {
  const whole = lines.map((line) => line.trim()).filter((line) => line !== "" && !FENCE.test(line));
  const marked = whole.filter((line) => MARK.test(line));
  const found = new Map<string, string>();
  for (const line of marked.length > 0 ? marked : whole) {
    const text = labelOf(plain(line.replace(MARK, "")), MAX_RECAP_BULLET_CHARS);
    if (LETTER.test(text) && !found.has(text.toLowerCase())) found.set(text.toLowerCase(), text);
  }
  return [...found.values()].slice(0, MAX_RECAP_BULLETS);
};

const MARK = /^(?:[-*•–—‣·]|\d{1,2}[.)、])\s*/u;
const FENCE = /^(?:```|~~~|#{1,6}\s|-{3,}$)/;
const LETTER = /[\p{L}\p{N}]/u;

/** Emphasis that was asked not to be there is not shown as stars. */
const plain = (text: string): string =>
  text.replace(/(\*\*|__)(?=\S)(.+?)(?<=\S)\1/gu, "$2").replace(/\[[ xX]\]\s+/u, "");

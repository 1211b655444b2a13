import { labelOf } from "../titles/line.ts";
import type { Said } from "./said.ts";

const EXCERPT_CHARS = 200;

/**
 * Two bullets without any model: the last that the person wrote, and the last that was answered. They hold the conversation's own
 * words and no others, so they are in its language. Empty when nothing was said.
 */
export const fallbackRecap = (said: readonly Said[]): readonly string[] =>
  (["user", "assistant"] as const).flatMap((side) => {
    const last = said.findLast(({ role }) => role === side);
    const excerpt = last === undefined ? "" : excerptOf(last.text);
    return excerpt === "" ? [] : [side === "user" ? `“${excerpt}”` : `→ ${excerpt}`];
  });

const excerptOf = (text: string): string => {
  const whole = labelOf(text, EXCERPT_CHARS + 1);
  return whole.length <= EXCERPT_CHARS ? whole : `${labelOf(whole, EXCERPT_CHARS)}…`;
};

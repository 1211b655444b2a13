import type { ContextMessage } from "./context-message.ts";

/** Rough tokens that tool results keep after a compression, newest first (background-jobs 2.2). */
const DEFAULT_BUDGET = 4_096;
const MIN_BUDGET = 512;
/** A shorter rest of a result tells nothing. */
const MIN_SNIPPET = 256;
const CHARS_PER_TOKEN = 4;

export const resultBudget = (thresholdTokens: number): number =>
  Math.max(MIN_BUDGET, Math.min(DEFAULT_BUDGET, Math.floor(thresholdTokens / 2)));

/**
 * Cuts tool results, the oldest first, so that all of them together stay within so many rough tokens. No message is removed or moved,
 * so calls keep their results. Pure: a later attempt gets the same.
 */
export const trimToolResults = (
  messages: readonly ContextMessage[],
  budgetTokens: number,
): readonly ContextMessage[] => {
  const results = messages.flatMap((message, index) => (message.role === "tool" ? [index] : []));
  const texts = trimNewestFirst(
    results.map((index) => messages[index]?.content ?? ""),
    budgetTokens,
  );
  const cut = new Map(results.map((index, n) => [index, texts[n] ?? ""]));
  return messages.map((message, index) => {
    const content = cut.get(index);
    return content === undefined || content === message.content ? message : { ...message, content };
  });
};

/** The same for texts alone, the oldest first in and out. */
export const trimNewestFirst = (texts: readonly string[], budgetTokens: number): readonly string[] => {
  let left = budgetTokens;
  return texts
    .toReversed()
    .map((text) => {
      const need = Math.ceil(text.length / CHARS_PER_TOKEN);
      if (need <= left) {
        left -= need;
        return text;
      }
      const snippet = left >= MIN_SNIPPET ? `${text.slice(0, left * CHARS_PER_TOKEN)}\n` : "";
      left = 0;
      const shorter = `${snippet}[${text.length - snippet.length} characters of this result were left out to save room.]`;
      return shorter.length < text.length ? shorter : text;
    })
    .reverse();
};

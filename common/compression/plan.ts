import type { ContextMessage } from "./context-message.ts";

/** Which messages a summary will stand for, and which stay as they are. */
export interface CompressionPlan {
  /** For each message: the summary stands for it, or for what an earlier one stood for. */
  readonly isCovered: readonly boolean[];
  /** Indexes of those that are summarised now, in order. */
  readonly head: readonly number[];
  /** Index of the first message behind the summary's last one: where people see the border. */
  readonly border: number;
}

/**
 * Splits a history: the end of it stays, as many whole turns as fit `tailTokens`, and always the newest user message; the rest is
 * summarised. Where the newest turn alone is longer, its older steps are summarised, too, and the user message in front of them stays.
 * A border is never between a tool call and its results. Null: there is nothing to summarise.
 */
export const planCompression = (
  messages: readonly ContextMessage[],
  tokens: readonly number[],
  { wasCovered, tailTokens }: { readonly wasCovered: readonly boolean[]; readonly tailTokens: number },
): CompressionPlan | null => {
  const open = messages.flatMap((_, index) => (wasCovered[index] === true ? [] : [index]));
  const newest = open.findLastIndex((index) => messages[index]?.role === "user");
  const size = (at: number): number => tokens[open[at] ?? -1] ?? 0;
  const sizeFrom = (start: number): number =>
    open.slice(start).reduce((sum, _, n) => sum + size(start + n), 0);

  let from = Math.max(0, newest);
  let total = sizeFrom(from);
  const stepStart = total > tailTokens ? lastSteps(messages, open, from + 1, tailTokens, size) : null;
  for (let at = from - 1, seen = total; at >= 0 && stepStart === null; at--) {
    seen += size(at);
    if (seen > tailTokens) break;
    if (messages[open[at] ?? -1]?.role !== "user") continue;
    [from, total] = [at, seen];
  }
  const head = open.filter((_, at) => at < from || (stepStart !== null && at > from && at < stepStart));
  if (head.length === 0) return null;
  const summarised = new Set(head);
  return {
    head,
    isCovered: messages.map((_, index) => wasCovered[index] === true || summarised.has(index)),
    border: open[stepStart ?? from] ?? messages.length,
  };
};

/** Where the last steps of a turn begin that fit; at the very last one when none does. Null: it has one step at most. */
const lastSteps = (
  messages: readonly ContextMessage[],
  open: readonly number[],
  first: number,
  tailTokens: number,
  size: (at: number) => number,
): number | null => {
  let start: number | null = null;
  let total = 0;
  for (let at = open.length - 1; at >= first; at--) {
    total += size(at);
    if (messages[open[at] ?? -1]?.role !== "assistant") continue;
    if (start !== null && total > tailTokens) break;
    start = at;
  }
  return start === null || start <= first ? null : start;
};

import { compressed, type EffectiveContext } from "./effective.ts";
import { keysOf } from "./keys.ts";
import { noteMessages } from "./note.ts";
import { planCompression } from "./plan.ts";
import { historyParts } from "./prompts.ts";
import { sum, type TokenCounter } from "./tokens.ts";
import { resultBudget } from "./trim.ts";

/** Fewer messages than these are not compressed on request (background-jobs 2.1). */
export const MIN_MESSAGES = 4;
/** Of the threshold: what stays as it is. */
const TAIL_SHARE = 0.2;
/** Of the history, where somebody asks for it long before it would be needed. */
const TAIL_SHARE_OF_ALL = 0.25;
/** Of the window: a part of the history that a summariser reads at once. */
const PART_SHARE = 0.3;
const MAX_PART_TOKENS = 24_000;
const MIN_PART_TOKENS = 800;
/** Characters that a token has at least in most languages. */
const PART_CHARS_PER_TOKEN = 3;
export const SUMMARY_TOKENS = 2_000;
/** A summary is about this much shorter than what it stands for. */
const EXPECTED_SHARE = 0.15;
const EXPECTED_MIN = 60;

/** Everything about a compression but its summary. */
export interface Preparation {
  /** Texts for the summariser, in order. */
  readonly parts: readonly string[];
  /** The summary so far; null: this is the first. */
  readonly earlier: string | null;
  readonly isCovered: readonly boolean[];
  /** Keys of what the new version stands for. */
  readonly covered: readonly string[];
  readonly resultBudget: number;
  /** Of the transcript; null: none behind the border. */
  readonly borderId: string | null;
  readonly summarised: number;
  readonly kept: number;
  readonly tokensBefore: number;
  /** Estimated. */
  readonly tokensAfter: number;
}

/**
 * Plans a compression of a context for a window of so many tokens. `tailTokens`: what stays at most; without it, what a person who asks
 * would expect. Null: there is nothing to summarise.
 */
export const prepareCompression = async (
  context: EffectiveContext,
  counter: TokenCounter,
  {
    contextLength,
    thresholdTokens,
    tailTokens,
  }: { readonly contextLength: number; readonly thresholdTokens: number; readonly tailTokens?: number },
): Promise<Preparation | null> => {
  const { raw, isCovered: wasCovered, version } = context;
  const messages = raw.map(({ message }) => message);
  const open = messages.filter((_, index) => wasCovered[index] !== true);
  const counts = await counter.each(open);
  let at = 0;
  const tokens = messages.map((_, index) => (wasCovered[index] === true ? 0 : (counts[at++] ?? 0)));
  // Without an earlier version the model gets just these.
  const tokensBefore = version === null ? sum(tokens) : await counter.total(context.messages);
  const share = Math.floor(Math.min(thresholdTokens * TAIL_SHARE, sum(tokens) * TAIL_SHARE_OF_ALL));
  const plan = planCompression(messages, tokens, { wasCovered, tailTokens: tailTokens ?? share });
  if (plan === null) return null;
  const budget = resultBudget(thresholdTokens);
  const partTokens = Math.max(MIN_PART_TOKENS, Math.min(MAX_PART_TOKENS, contextLength * PART_SHARE));
  const head = plan.head.flatMap((index) => messages[index] ?? []);
  const rest = compressed(raw, { summary: "", resultBudget: budget }, plan.isCovered);
  const headTokens = sum(plan.head.map((index) => tokens[index] ?? 0));
  const earlierTokens = version === null ? 0 : await counter.total(noteMessages(version.summary, undefined));
  const expected = Math.min(
    SUMMARY_TOKENS,
    EXPECTED_MIN + Math.ceil((headTokens + earlierTokens) * EXPECTED_SHARE),
  );
  return {
    parts: historyParts(head, Math.floor(partTokens * PART_CHARS_PER_TOKEN)),
    earlier: version?.summary ?? null,
    isCovered: plan.isCovered,
    covered: keysOf(context).filter((_, index) => plan.isCovered[index] === true),
    resultBudget: budget,
    borderId: raw.slice(plan.border).find(({ id }) => id !== null)?.id ?? null,
    summarised: plan.head.length,
    kept: open.length - plan.head.length,
    tokensBefore,
    tokensAfter: (await counter.total(rest)) + expected,
  };
};

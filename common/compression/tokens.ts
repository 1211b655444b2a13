import { setImmediate as nextTurn } from "node:timers/promises";
import type { ContextMessage } from "./context-message.ts";

/** Counts tokens as OpenAI's current models do; others differ by some percent, which the threshold leaves room for. */
export interface TokenCounter {
  /** Of a text. */
  text(text: string): Promise<number>;
  /** Of each message, with what a provider adds around it. */
  each(messages: readonly ContextMessage[]): Promise<readonly number[]>;
  /** Of all of them. */
  total(messages: readonly ContextMessage[]): Promise<number>;
}

/** The tokenizer merges a word without breaks in quadratic time: it never gets more than this at once. */
const PIECE_CHARS = 1_000;
/** How long counting holds the event loop, in milliseconds. */
const SLICE_MS = 8;
/** Tokens that a message costs beside its text. */
const PER_MESSAGE = 4;
const PER_CALL = 8;
/** Counted messages that are remembered, by their text; the oldest are forgotten. */
const MAX_KEPT = 20_000;
const MAX_KEPT_CHARS = 20_000;

/** A counter that loads its tables with the first count and gives the event loop back between pieces. */
export const createTokenCounter = (): TokenCounter => {
  let loading: Promise<(text: string) => number> | null = null;
  const kept = new Map<string, number>();

  const text = async (whole: string): Promise<number> => {
    if (whole === "") return 0;
    const known = kept.get(whole);
    if (known !== undefined) return known;
    loading ??= load();
    const count = await loading;
    let tokens = 0;
    let since = performance.now();
    for (const piece of piecesOf(whole)) {
      tokens += count(piece);
      if (performance.now() - since < SLICE_MS) continue;
      await nextTurn();
      since = performance.now();
    }
    if (whole.length <= MAX_KEPT_CHARS) keep(whole, tokens);
    return tokens;
  };
  const keep = (whole: string, tokens: number): void => {
    kept.set(whole, tokens);
    if (kept.size <= MAX_KEPT) return;
    for (const oldest of kept.keys()) {
      kept.delete(oldest);
      break;
    }
  };
  /** Without a turn of the event loop, where that is short; null where it is not. */
  const quickly = (whole: string, count: (text: string) => number): number | null => {
    if (whole.length > PIECE_CHARS) return kept.get(whole) ?? null;
    return whole === "" ? 0 : (kept.get(whole) ?? count(whole));
  };
  const each = async (messages: readonly ContextMessage[]): Promise<readonly number[]> => {
    const counts: number[] = [];
    loading ??= load();
    const count = await loading;
    let since = performance.now();
    for (const message of messages) {
      let tokens = PER_MESSAGE;
      for (const part of textsOf(message)) tokens += quickly(part, count) ?? (await text(part));
      if (message.role === "assistant") tokens += PER_CALL * (message.toolCalls?.length ?? 0);
      counts.push(tokens);
      if (performance.now() - since < SLICE_MS) continue;
      await nextTurn();
      since = performance.now();
    }
    return counts;
  };
  return { text, each, total: async (messages) => sum(await each(messages)) };
};

/** No text has more tokens than bytes: what is below a limit by that needs no counting. */
export const isSurelyBelow = (messages: readonly ContextMessage[], tokens: number): boolean => {
  let bytes = 0;
  for (const message of messages) {
    bytes += PER_MESSAGE + Buffer.byteLength(message.content);
    if (message.role === "assistant")
      for (const { function: called } of message.toolCalls ?? [])
        bytes += PER_CALL + Buffer.byteLength(called.name) + Buffer.byteLength(called.arguments);
    if (bytes >= tokens) return false;
  }
  return true;
};

const textsOf = (message: ContextMessage): readonly string[] =>
  message.role !== "assistant" || message.toolCalls === undefined
    ? [message.content]
    : [
        message.content,
        ...message.toolCalls.flatMap(({ function: { name, arguments: args } }) => [name, args]),
      ];

export const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

/** Words of another's text that mean something to a tokenizer mean nothing here. */
const PLAIN = { disallowedSpecial: new Set<string>() };

const load = async (): Promise<(text: string) => number> => {
  const { countTokens } = await import("gpt-tokenizer/encoding/o200k_base");
  return (text) => countTokens(text, PLAIN);
};

/** Cut behind white space where there is some: a count of pieces is then nearly that of the whole. */
function* piecesOf(text: string): Generator<string> {
  for (let at = 0; at < text.length; ) {
    let end = Math.min(text.length, at + PIECE_CHARS);
    if (end < text.length) {
      const gap = Math.max(text.lastIndexOf(" ", end), text.lastIndexOf("\n", end));
      if (gap > at + PIECE_CHARS / 2) end = gap;
    }
    yield text.slice(at, end);
    at = end;
  }
}

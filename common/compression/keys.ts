import { createHash } from "node:crypto";
import type { ContextMessage } from "./context-message.ts";
import { KEY_CHARS } from "./context-version.ts";
import type { SourcedMessage } from "./model-context.ts";

/** A history, with the keys of its messages where they were worked out. */
export interface Keyed {
  /** The whole history, as it would be sent without any compression. */
  readonly raw: readonly SourcedMessage[];
  /** One for each of `raw`; null: nothing has asked for them yet. */
  readonly keys: readonly string[] | null;
}

/**
 * What a message is known by in what a summary stands for: its content. Not its id: the same message has another one in another
 * file, after another program's compaction, and before it is in a state.db.
 */
export const messageKey = (message: ContextMessage): string => {
  const hash = createHash("sha256").update(`${message.role}\n`);
  if (message.role === "tool") hash.update(`${message.toolCallId}\n`);
  else if (message.role === "assistant")
    for (const { id, function: called } of message.toolCalls ?? [])
      hash.update(`${id}\n${called.name}\n${called.arguments}\n`);
  return hash.update(message.content).digest("base64").slice(0, KEY_CHARS);
};

/** The keys of all messages, in order. */
export const keysOf = ({ raw, keys }: Keyed): readonly string[] =>
  keys ?? raw.map(({ message }) => messageKey(message));

/**
 * Which messages of a history a summary stands for, when all of `covered` are there in this order; null where one is missing: something of it was
 * taken back, or another program rewrote it, and the summary tells too much. What came in between is not covered.
 */
export const coverage = (history: Keyed, covered: readonly string[]): readonly boolean[] | null => {
  let next = 0;
  const is = keysOf(history).map((key) => {
    const hit = next < covered.length && covered[next] === key;
    if (hit) next++;
    return hit;
  });
  return next === covered.length ? is : null;
};

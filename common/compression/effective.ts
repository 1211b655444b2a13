import type { ContextMessage } from "./context-message.ts";
import type { ContextVersion } from "./context-version.ts";
import { coverage, type Keyed, keysOf } from "./keys.ts";
import type { SourcedMessage } from "./model-context.ts";
import { noteMessages } from "./note.ts";
import { trimToolResults } from "./trim.ts";

export interface EffectiveContext extends Keyed {
  /** The newest version that still holds; null: the whole history is sent. */
  readonly version: ContextVersion | null;
  /** For each of `raw`: the summary stands for it. */
  readonly isCovered: readonly boolean[];
  /** What the model gets. */
  readonly messages: readonly ContextMessage[];
}

/**
 * The model's context: the newest version whose messages are all still there, then everything that it does not stand for, verbatim.
 * A version that tells of something that was taken back is passed over for the one before it, and at last for the whole history:
 * no version ever replaces what is stored (background-jobs B-25, B-26).
 */
export const effectiveContext = (
  raw: readonly SourcedMessage[],
  newestFirst: readonly ContextVersion[],
): EffectiveContext => {
  const keys = newestFirst.length === 0 ? null : keysOf({ raw, keys: null });
  for (const version of newestFirst) {
    const isCovered = coverage({ raw, keys }, version.covered);
    if (isCovered !== null)
      return { raw, keys, version, isCovered, messages: compressed(raw, version, isCovered) };
  }
  return {
    ...{ raw, keys, version: null },
    isCovered: raw.map(() => false),
    messages: raw.map(({ message }) => message),
  };
};

/** What the model gets when this text stands for these messages. */
export const compressed = (
  raw: readonly SourcedMessage[],
  { summary, resultBudget }: Pick<ContextVersion, "summary" | "resultBudget">,
  isCovered: readonly boolean[],
): readonly ContextMessage[] => {
  const kept = raw.flatMap(({ message }, index) => (isCovered[index] === true ? [] : [message]));
  return [...noteMessages(summary, kept[0]), ...trimToolResults(kept, resultBudget)];
};

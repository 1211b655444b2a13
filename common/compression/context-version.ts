/** What a version of a session's model context says: one text in place of the messages that it stands for. */
export interface ContextVersion {
  readonly version: number;
  readonly summary: string;
  /** Keys of the messages that the summary stands for, in order. */
  readonly covered: readonly string[];
  /** Rough tokens that tool results behind it keep. */
  readonly resultBudget: number;
}

/** Characters of a key. */
export const KEY_CHARS = 12;

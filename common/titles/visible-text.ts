import { withoutAttachments, withoutWorkspaceLine } from "../reconcile/content.ts";

/**
 * What a person wrote or was told, without what programs put around it: the leading workspace line, lists of attached files,
 * thinking markup (background-jobs 1.2). Trimmed, well-formed; "" when nothing else was in it. Time grows with the length.
 */
export const visibleText = (text: string): string => {
  const bare = withoutAttachments(withoutWorkspaceLine(text.toWellFormed()));
  return withoutThinking(bare.replace(ATTACHMENTS, " ")).trim();
};

/** What a model answered, without what it thought. Templates may open the block themselves, so its end alone counts as well. */
export const answerText = (text: string): string => {
  const rest = withoutThinking(text.toWellFormed());
  const end = [...rest.matchAll(CLOSING)].at(-1);
  return (end === undefined ? rest : rest.slice(end.index + end[0].length)).trim();
};

/** The list anywhere else than at the end; names with brackets are found there only. */
const ATTACHMENTS = /\[Attached files:[^[\]\n]*\]/g;
const OPENING = /<(think|thinking|thought|reasoning)>/gi;
const CLOSING = /<\/(?:think|thinking|thought|reasoning)>/gi;

/** One pass: a block that is never closed takes the rest with it where it leads the text, and is plain text elsewhere. */
const withoutThinking = (text: string): string => {
  let kept = "";
  let from = 0;
  for (;;) {
    const opening = nextMatch(OPENING, text, from);
    if (opening === null) return kept + text.slice(from);
    const before = kept + text.slice(from, opening.index);
    const closing = nextMatch(CLOSING, text, opening.index);
    if (closing === null) return before.trim() === "" ? "" : kept + text.slice(from);
    kept = before;
    from = closing.index + closing[0].length;
  }
};

const nextMatch = (pattern: RegExp, text: string, from: number): RegExpExecArray | null => {
  const own = new RegExp(pattern);
  own.lastIndex = from;
  return own.exec(text);
};

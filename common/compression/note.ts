import type { ContextMessage } from "./context-message.ts";

/**
 * How a summary stands in the model's context (background-jobs B-24): as the first user message, since providers want one there, named
 * as reference material in words and tags, and answered at once where a user message follows, so that roles alternate.
 */
export const noteMessages = (
  summary: string,
  next: ContextMessage | undefined,
): readonly ContextMessage[] => [
  {
    role: "user",
    content: `${HEAD}\n<summary>\n${summary.replace(/<(?=\/?summary\b)/gi, "‹")}\n</summary>\n${FOOT}`,
  },
  ...(next === undefined || next.role === "user"
    ? [{ role: "assistant" as const, content: ACKNOWLEDGED }]
    : []),
];

const HEAD =
  "[Compressed context: reference material made by the server, not a message of the user and not a request.]";
const FOOT =
  "[End of the compressed context. Tasks named in it may be done or dropped: act on what the user writes below, not on this.]";
const ACKNOWLEDGED = "Understood. I use that as background only and answer what comes next.";

import { visibleText } from "./visible-text.ts";

/** What a title is made from: what was asked and what was answered. */
export interface Exchange {
  readonly userText: string;
  readonly assistantText: string;
}

/** Of a message, what matters here; `Message` of the contracts fits. */
export interface TitleMessage {
  readonly role: "user" | "assistant" | "tool" | "notice";
  readonly content: string;
  /** What the system said in a person's place names no conversation. */
  readonly source?: "process" | undefined;
  readonly tool_calls?: readonly unknown[] | undefined;
}

/**
 * The complete exchanges of a transcript in order: a user message with text and the first answer to it that is neither empty
 * nor the preamble of a tool call (background-jobs 1.2). The first one names a session, the last one refreshes it.
 */
export const completeExchanges = (messages: readonly TitleMessage[]): readonly Exchange[] => {
  const found: Exchange[] = [];
  let asked: string | null = null;
  for (const { role, content, source, tool_calls: calls = [] } of messages) {
    if (role === "user") asked = source !== undefined || visibleText(content) === "" ? null : content;
    else if (asked !== null && role === "assistant" && calls.length === 0 && visibleText(content) !== "") {
      found.push({ userText: asked, assistantText: content });
      asked = null;
    }
  }
  return found;
};

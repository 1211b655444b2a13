import { cutBetween } from "../titles/line.ts";
import { visibleText } from "../titles/visible-text.ts";

/** Of a message, what matters here; `Message` of the contracts fits. */
export interface SaidMessage {
  readonly role: "user" | "assistant" | "tool" | "notice";
  readonly content: string;
  /** What the system said in a person's place is nobody's word. */
  readonly source?: "process" | undefined;
}

/** What one side said, as a model is shown it. */
export interface Said {
  readonly role: "user" | "assistant";
  readonly text: string;
}

/** Messages that a recap is made from, and characters of each (background-jobs 3.2). */
export const RECAP_MESSAGES = 50;
const MESSAGE_CHARS = 1_000;

/** Whether the message is one side's word: results of tools, notices and what the system said are not. */
export const isSaid = <T extends SaidMessage>(message: T): message is T & { role: "user" | "assistant" } =>
  (message.role === "user" && message.source === undefined) || message.role === "assistant";

/** The visible beginning of what was said; null where nothing was. */
export const saidIn = (message: SaidMessage): Said | null => {
  if (!isSaid(message)) return null;
  const text = cutBetween(visibleText(message.content), MESSAGE_CHARS).trim();
  return text === "" ? null : { role: message.role, text };
};

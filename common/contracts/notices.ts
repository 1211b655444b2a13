import { oneLine } from "../base/text.ts";

/**
 * The wording of `notice` messages, in one place: the server writes them into the transcript, and the page shows the same
 * text by itself when it cannot read the transcript after a stop (cancel-approve-steer 2.1, C-6, C-19).
 * Markdown, one paragraph each; what comes from outside is escaped.
 */

/** The assistant's name when the setting is unset, blank or unreadable. */
export const DEFAULT_BOT_NAME = "Hermes";
const MAX_NAME = 64;

/** The notice of a stopped run. `name` is the setting `bot_name` as it was saved; blank means the default. */
export const cancelNotice = (
  name: string | null | undefined,
  { beforeStart }: { readonly beforeStart: boolean },
): string =>
  `**${beforeStart ? "Task cancelled before start." : "Task cancelled."}** ` +
  `*You stopped this run before ${escapeMarkdown(displayName(name))} finished. No provider failure occurred.*`;

/** The notice of a run whose worker was lost and that cannot be continued. `reason`: one sentence, or nothing. */
export const interruptedNotice = (reason?: string): string => {
  const because = oneLine(reason ?? "") || "The worker was lost before the answer was complete.";
  return `**Run interrupted.** *${escapeMarkdown(because)} What had arrived until then is kept.*`;
};

/** The notice of a run that failed: a sentence, a stable code, and what helps against it. */
export const failedNotice = (error: {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
}): string => {
  const code = error.code.replace(/[^a-z0-9_]/gi, "");
  const hint = oneLine(error.hint ?? "");
  const head = `**Run failed.** ${escapeMarkdown(oneLine(error.message))} \`${code || "error"}\``;
  return hint === "" ? head : `${head} *${escapeMarkdown(hint)}*`;
};

/** `bot_name` as people see it: trimmed, one line, at most 64 characters, never blank (C-6). */
export const displayName = (name: string | null | undefined): string =>
  [...oneLine(name ?? "")].slice(0, MAX_NAME).join("").trim() || DEFAULT_BOT_NAME;

/** Makes every character that Markdown could read as markup inside a paragraph stand for itself. */
const escapeMarkdown = (text: string): string => text.replace(/[\\`*_[\]<>&~|!$]/g, "\\$&");

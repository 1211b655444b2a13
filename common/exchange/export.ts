import type { Message } from "../contracts/message.ts";
import type { Session } from "../contracts/session.ts";
import type { ExportFormat } from "./formats.ts";
import { exportHtml } from "./html.ts";
import { exportJson } from "./json.ts";
import { exportMarkdown } from "./markdown.ts";

/** Writes one session as a text that is never whole in memory: one piece per message. */
export type Exporter = (
  session: Session,
  messages: AsyncIterable<Message>,
  nowS: number,
) => AsyncIterable<string>;

/**
 * A session in the given format. Pieces come in order and at the reader's pace; a reader that stops early ends
 * `messages` as well, and what `messages` throws ends the export. Secrets are the caller's: messages are written as given.
 */
export const exportSession = (
  format: ExportFormat,
  session: Session,
  messages: AsyncIterable<Message>,
  nowS: number,
): AsyncIterable<string> => EXPORTERS[format](session, messages, nowS);

const EXPORTERS: Readonly<Record<ExportFormat, Exporter>> = {
  json: exportJson,
  markdown: exportMarkdown,
  html: exportHtml,
};

import type { Message } from "../contracts/message.ts";
import type { Session } from "../contracts/session.ts";
import { codeSpan, escapeInline, fenced } from "./code.ts";
import { containMarkdown } from "./contain.ts";
import { factsOf, outcomeOf, speakerOf, titleOf } from "./labels.ts";
import { cleanLine, cleanText, readableArguments, timeText } from "./text.ts";

/**
 * A transcript to read and to keep: a heading per message, reasoning folded away, calls and results as code, notices as
 * quotes. No message can leave its place: see `containMarkdown`.
 */
export async function* exportMarkdown(
  session: Session,
  messages: AsyncIterable<Message>,
  nowS: number,
): AsyncIterable<string> {
  const facts = factsOf(session, nowS).map(([name, value]) => `- ${name}: ${escapeInline(value)}`);
  yield `# ${escapeInline(titleOf(session))}\n\n${facts.join("\n")}\n`;
  for await (const message of messages) yield `\n${blocksOf(message).join("\n\n")}\n`;
}

const blocksOf = (message: Message): readonly string[] => {
  const blocks = [headingOf(message)];
  const reasoning = cleanText(message.reasoning ?? "").trim();
  if (reasoning !== "") blocks.push(folded("Reasoning", containMarkdown(reasoning)));
  const body = bodyOf(message);
  if (body !== "") blocks.push(body);
  for (const { id, function: call } of message.tool_calls ?? []) {
    const name = codeSpan(cleanLine(call.name)) || "a tool";
    const callId = cleanLine(id);
    blocks.push(`**Calls ${name}**${callId === "" ? "" : ` (${codeSpan(callId)})`}`);
    blocks.push(fenced(cleanText(readableArguments(call.arguments)), "json"));
  }
  return blocks;
};

const headingOf = (message: Message): string => {
  const outcome = outcomeOf(message);
  const callId = message.role === "tool" ? cleanLine(message.tool_call_id ?? "") : "";
  return (
    `## ${escapeInline(speakerOf(message))}${outcome === null ? "" : ` (${outcome})`}\n\n` +
    `*${timeText(message.created_at)}*${callId === "" ? "" : ` ${codeSpan(callId)}`}`
  );
};

const bodyOf = (message: Message): string => {
  const text = cleanText(message.content);
  if (message.role === "tool") return fenced(text);
  if (text.trim() === "") return "";
  const contained = containMarkdown(text).replace(/^\n+|\s+$/g, "");
  return message.role === "notice" ? contained.replace(/^/gm, "> ") : contained;
};

const folded = (summary: string, text: string): string =>
  `<details>\n<summary>${summary}</summary>\n\n${text}\n\n</details>`;

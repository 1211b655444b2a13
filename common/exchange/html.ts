import type { Message } from "../contracts/message.ts";
import type { Session } from "../contracts/session.ts";
import { factsOf, outcomeOf, speakerOf, titleOf } from "./labels.ts";
import { escapeHtml, isPicture, renderMarkdown, renderPlain } from "./render.ts";
import { STYLE } from "./style.ts";
import { cleanLine, cleanText, isoTime, readableArguments, timeText } from "./text.ts";

/**
 * One page that needs nothing else: no script, no request to anybody, which its own policy also forbids. Answers and
 * notices are rendered, prompts are shown as they were typed, calls and results are folded.
 */
export async function* exportHtml(
  session: Session,
  messages: AsyncIterable<Message>,
  nowS: number,
): AsyncIterable<string> {
  const title = escapeHtml(titleOf(session));
  const facts = factsOf(session, nowS).map(
    ([name, value]) => `<dt>${name}</dt><dd>${escapeHtml(value)}</dd>`,
  );
  yield `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1 dir="auto">${title}</h1>
<dl>${facts.join("\n")}</dl>
</header>
<main>
`;
  for await (const message of messages) yield articleOf(message);
  yield "</main>\n</body>\n</html>\n";
}

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

const articleOf = (message: Message): string => {
  const outcome = outcomeOf(message);
  const iso = isoTime(message.created_at);
  const time = iso === null ? "" : `<time datetime="${iso}">${timeText(message.created_at)}</time>`;
  const mark = outcome === null ? "" : `<span class="outcome">${outcome}</span>`;
  return `<article class="${message.source === undefined ? message.role : "notice"}">
<header><h2>${escapeHtml(speakerOf(message))}</h2>${time}${mark}</header>
${reasoningOf(message)}${bodyOf(message)}${picturesOf(message)}${callsOf(message)}</article>
`;
};

const reasoningOf = ({ reasoning }: Message): string => {
  const text = cleanText(reasoning ?? "");
  return text.trim() === "" ? "" : folded("Reasoning", body(renderMarkdown(text)));
};

const bodyOf = (message: Message): string => {
  const text = cleanText(message.content);
  if (message.role === "tool") {
    const call = cleanLine(message.tool_call_id ?? "");
    return folded(`Result${call === "" ? "" : ` of <code>${escapeHtml(call)}</code>`}`, code(text));
  }
  if (text.trim() === "") return "";
  return body(message.role === "user" ? renderPlain(text) : renderMarkdown(text));
};

const callsOf = ({ tool_calls }: Message): string =>
  (tool_calls ?? [])
    .map(({ id, function: call }) => {
      const [name, callId] = [cleanLine(call.name), cleanLine(id)].map(escapeHtml);
      const summary = `Calls <code>${name || "a tool"}</code>${callId === "" ? "" : ` (${callId})`}`;
      return folded(summary, code(cleanText(readableArguments(call.arguments))));
    })
    .join("");

/** Pictures that the message carries itself; what lies elsewhere is not fetched. */
const picturesOf = ({ parts }: Message): string => {
  const urls = (parts ?? []).map(({ image_url }) =>
    typeof image_url === "object" && image_url !== null && "url" in image_url ? image_url.url : image_url,
  );
  return urls
    .filter((url) => typeof url === "string" && isPicture(url))
    .map((url) => `<p><img src="${url}" alt="picture"></p>\n`)
    .join("");
};

const body = (html: string): string => `<div class="body" dir="auto">${html}</div>\n`;
const code = (text: string): string => `<pre><code>${escapeHtml(text)}</code></pre>\n`;
const folded = (summary: string, html: string): string =>
  `<details><summary>${summary}</summary>${html}</details>\n`;

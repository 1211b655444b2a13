import { type ChatRequest, type ChatRequestMessage, lastUserText, turnMessages } from "./chat-request.ts";
import type { Script } from "./plan.ts";
import { LONG_ANSWER, MARKDOWN_ANSWER, SUGGESTIONS } from "./texts.ts";

/**
 * What the demo model answers: decided by keywords in the last user message, and by nothing else but the results of the
 * calls it asked for. It says what it is and claims nothing that did not happen. `rate` is the usual pace in tokens per
 * second, of which slow answers take a part.
 */
export const createDemoScript =
  (rate: number) =>
  (request: ChatRequest): Script => {
    const said = lastUserText(request)?.trim() ?? "";
    if (request.messages[0]?.role === "system" && request.messages[0].text.startsWith(ASKS_FOR_TITLE))
      return { text: titleOf(said) };
    if (request.messages[0]?.role === "system" && request.messages[0].text.startsWith(ASKS_FOR_SUMMARY))
      return { text: summaryOf(said) };
    if (said.startsWith(SYSTEM_NOTICE)) return { text: ABOUT_NOTICE };
    const result = turnMessages(request).findLast((message) => message.role === "tool");
    if (result !== undefined) return aboutResult(said, result);
    const call = toolCallFor(said, request.toolNames);
    if (call !== null) return call;
    return TOPICS.find((topic) => topic.when.test(said))?.answer(said, rate) ?? echo(said, request);
  };

/** How the prompt for a title begins (common/titles/prompts.ts); the demo keeps to it like any model. */
const ASKS_FOR_TITLE = "You name conversations.";

/** How a message begins that no person wrote (common/processes/notice.ts). */
const SYSTEM_NOTICE = "[System notice";
const ABOUT_NOTICE =
  "A command that I left running in the background has ended; the notice above says how. Nobody had to ask: its end began this turn.";

/** The first words of what the person wrote: a script cannot do better. */
const titleOf = (prompt: string): string => {
  const said = /<user_message>\n([\s\S]*?)\n<\/user_message>/.exec(prompt)?.[1] ?? "";
  const [first = ""] = said.split(/(?<=[.?!。？！])\s|\n/);
  return first
    .split(/\s+/)
    .slice(0, 6)
    .join(" ")
    .replace(/[\s.,:;!?]+$/, "");
};

/** How the prompt for a summary begins (common/compression/prompts.ts). */
const ASKS_FOR_SUMMARY = "You compress conversations.";

/** What was said, by its first words: a script cannot tell what matters. */
const summaryOf = (prompt: string): string => {
  const soFar = /<summary_so_far>\n([\s\S]*?)\n<\/summary_so_far>/.exec(prompt)?.[1] ?? "";
  const said = [...prompt.matchAll(/<message role="user">\n([\s\S]*?)\n<\/message>/g)].map(([, text = ""]) =>
    text.replace(/\s+/g, " ").slice(0, 60),
  );
  const topics = said.slice(0, MAX_TOPICS).map((text) => `- The user wrote: ${text}`);
  const more = said.length > MAX_TOPICS ? [`- ${said.length - MAX_TOPICS} more messages of the user`] : [];
  return (
    [soFar, ...topics, ...more].filter((line) => line !== "").join("\n") ||
    "- The assistant worked with tools."
  );
};
const MAX_TOPICS = 5;

const TOPICS: readonly { readonly when: RegExp; readonly answer: (said: string, rate: number) => Script }[] =
  [
    {
      when: /\brate.?limit/i,
      answer: () => ({ directives: { fail: 429 } }),
    },
    {
      when: /\bflaky\b/i,
      answer: (said) => ({
        directives: { fail: 503, times: 2, key: `flaky ${said}` },
        text: "The first two requests of this turn were refused with HTTP 503. The engine waited, tried again, and here is the answer: nothing was lost and nothing was said twice.",
      }),
    },
    {
      when: /\berror\b/i,
      answer: () => ({
        directives: { errat: 12 },
        text: "You asked for an error, so this answer breaks off in the middle, and what was said so far stays where it is.",
      }),
    },
    {
      when: /\b(reason|reasoning|think|thinking)\b/i,
      answer: (said) => ({
        reasoning: `The user wrote ${quoted(said)}. They want to see me reason, so I do it in the open: first I look at what is asked, then at what I can do without a network, and then I decide to answer briefly and honestly.`,
        text: "I reasoned before I answered; you can open the reasoning above. I am the demo model, so the thoughts are scripted, but they travelled the same way as those of a real model.",
      }),
    },
    { when: /\b(code|table|markdown)\b/i, answer: () => ({ text: MARKDOWN_ANSWER }) },
    {
      when: /\b(slow|slowly)\b/i,
      answer: (_said, rate) => ({ directives: { rate: rate / 8 }, text: LONG_ANSWER }),
    },
    {
      when: /\blong\b/i,
      answer: (_said, rate) => ({ directives: { rate: rate / 3 }, text: LONG_ANSWER }),
    },
    {
      when: /^(hi|hello|hey|good (morning|day|evening))\b/i,
      answer: () => ({
        text: `Hello! I am the demo model: offline, scripted, and always in a good mood.\n\n${SUGGESTIONS}`,
      }),
    },
    {
      when: /\b(help|who are you|what are you|what can you do)\b/i,
      answer: () => ({
        text: `I am the demo model. No network and no key are involved: my answers are scripted by keywords in your message, and they stream through the same engine, journal and connection as those of a real model.\n\n${SUGGESTIONS}`,
      }),
    },
  ];

const echo = (said: string, request: ChatRequest): Script => {
  const turn = request.messages.filter((message) => message.role === "user").length;
  const nth =
    turn > 1 ? ` This is message ${turn} of our conversation; I was sent the earlier ones, too.` : "";
  return {
    text: `You wrote:\n\n> ${said.slice(0, 400).replaceAll("\n", "\n> ")}${said.length > 400 ? " …" : ""}\n\nI am the demo model, so I cannot really answer that: I have no network and no knowledge, only a script.${nth} Once a provider is set in \`config.yaml\`, a real model takes my place.\n\n${SUGGESTIONS}`,
  };
};

const toolCallFor = (said: string, toolNames: readonly string[]): Script | null => {
  for (const { tool, when, args } of TOOL_PHRASES) {
    const match = said.match(when);
    if (match === null) continue;
    if (!toolNames.includes(tool))
      return { text: `I would call \`${tool}\` now, but this run has no such tool.` };
    return {
      text: "Let me do that.",
      toolCalls: [{ name: tool, arguments: args(match[1]?.trim() ?? "", match[2] ?? "") }],
    };
  }
  return null;
};

const TOOL_PHRASES: readonly {
  readonly tool: string;
  readonly when: RegExp;
  readonly args: (first: string, second: string) => Record<string, string | boolean>;
}[] = [
  {
    tool: "list_files",
    when: /\blist (?:the |all |my )?files(?: in [`"]?([^`"\s]+)[`"]?)?/i,
    args: (path) => (path === "" ? {} : { path }),
  },
  {
    tool: "write_file",
    when: /\bwrite (?:the )?(?:file )?[`"]?([^`":\s]+\.\w+)[`"]?(?::?\s+([\s\S]+))?/i,
    args: (path, content) => ({ path, content: content || "Written by the demo model.\n" }),
  },
  {
    tool: "read_file",
    when: /\bread (?:the )?(?:file )?[`"]?([^`"\s]+\.\w+|[^`"\s]+\/[^`"\s]+)[`"]?/i,
    args: (path) => ({ path }),
  },
  {
    tool: "run_command",
    when: /\brun in the background:? (?:`([^`]+)`|([^\n]+))/i,
    args: (marked, plain) => ({ command: (marked || plain).trim(), background: true }),
  },
  {
    tool: "run_command",
    when: /\brun (?:the command )?(?:`([^`]+)`|([^\n]+))/i,
    args: (marked, plain) => ({ command: (marked || plain).trim() }),
  },
];

const aboutResult = (said: string, result: ChatRequestMessage): Script => {
  const shown = result.text.slice(0, 2000);
  const fence = "`".repeat(Math.max(3, ...[...shown.matchAll(/`+/g)].map(([run]) => run.length + 1)));
  const more = result.text.length > shown.length ? `\n\n(${result.text.length} characters in all.)` : "";
  return {
    text: `That is what came back when you asked me to ${quoted(said)}:\n\n${fence}text\n${shown}\n${fence}${more}\n\nThe call really ran, inside this session's workspace.`,
  };
};

const quoted = (said: string): string => `“${said.length > 120 ? `${said.slice(0, 120)} …` : said}”`;

import { type ChatRequest, turnMessages } from "./chat-request.ts";
import type { Directives } from "./directives.ts";
import { word } from "./words.ts";

/** Real content in place of random words. `directives` still set the pace and the faults. */
export interface Script {
  readonly directives?: Partial<Directives>;
  readonly reasoning?: string;
  readonly text?: string;
  readonly toolCalls?: readonly { readonly name: string; readonly arguments: unknown }[];
}

/** What one response consists of, before it is paced and sent. */
export interface AnswerPlan {
  readonly id: string;
  readonly created: number;
  readonly model: string;
  readonly reasonTokens: number;
  readonly textTokens: number;
  /** Asked when the token is sent, so that a stamp tells the time of sending. */
  readonly textToken: (index: number) => string;
  readonly reasonToken: (index: number) => string;
  readonly toolCalls: readonly WireToolCall[];
  readonly finishReason: string;
  readonly usage: {
    readonly prompt_tokens: number;
    readonly completion_tokens: number;
    readonly total_tokens: number;
  };
}

export interface WireToolCall {
  readonly index: number;
  readonly id: string;
  readonly type: "function";
  readonly function: { readonly name: string; readonly arguments: string };
}

export const planAnswer = (
  number: number,
  directives: Directives,
  request: ChatRequest,
  script: Script | null,
): AnswerPlan => {
  const content =
    script === null ? randomContent(number, directives, request) : scriptedContent(number, script);
  const promptCharacters = request.messages.reduce((sum, message) => sum + message.text.length, 0);
  const promptTokens = Math.ceil(promptCharacters / 4);
  const completionTokens = content.textTokens + content.reasonTokens + (content.toolCalls.length > 0 ? 8 : 0);
  return {
    ...content,
    id: `chatcmpl-fake-${number}`,
    created: directives.stamp ? Math.floor(Date.now() / 1000) : 1_700_000_000,
    model: request.model ?? "fake",
    finishReason: content.toolCalls.length > 0 ? "tool_calls" : directives.finish,
    usage: {
      prompt_tokens: promptTokens,
      completion_tokens: completionTokens,
      total_tokens: promptTokens + completionTokens,
    },
  };
};

type Content = Pick<AnswerPlan, "reasonTokens" | "textTokens" | "textToken" | "reasonToken" | "toolCalls">;

const randomContent = (number: number, directives: Directives, request: ChatRequest): Content => {
  const { seed, stamp } = directives;
  const padding = "x".repeat(Math.max(0, directives.pad));
  const toolTurns = turnMessages(request).filter((m) => m.role === "assistant" && m.callsTools).length;
  const toolName = directives.tool === "1" ? (request.toolNames[0] ?? "") : directives.tool;
  const callsTool = toolName !== "" && toolTurns < directives.rounds;
  const args = decodedArguments(directives.args);
  return {
    reasonTokens: directives.reason,
    textTokens: callsTool ? directives.pre : directives.tokens,
    textToken: stamp
      ? (i) => `@${i}:${monotonicUs()} ${word(seed, i)}${padding} `
      : (i) => `${word(seed, i)}${padding} `,
    reasonToken: (i) => `${word(seed + 7, i)} `,
    toolCalls: Array.from({ length: callsTool ? Math.max(1, directives.parallel) : 0 }, (_, index) => ({
      index,
      id: `call_${toolTurns}_${index}_${number}`,
      type: "function",
      function: { name: toolName, arguments: args },
    })),
  };
};

const scriptedContent = (number: number, script: Script): Content => {
  const text = tokenize(script.text ?? "");
  const reasoning = tokenize(script.reasoning ?? "");
  return {
    reasonTokens: reasoning.length,
    textTokens: text.length,
    textToken: (i) => text[i] ?? "",
    reasonToken: (i) => reasoning[i] ?? "",
    toolCalls: (script.toolCalls ?? []).map((call, index) => ({
      index,
      id: `call_${index}_${number}`,
      type: "function",
      function: { name: call.name, arguments: JSON.stringify(call.arguments) },
    })),
  };
};

/** Words with the white space after them; joined again they are the text. */
const tokenize = (text: string): readonly string[] => text.match(/\s+|\S+\s?/g) ?? [];

const decodedArguments = (args: string): string => {
  if (args === "") return "{}";
  try {
    return JSON.stringify(JSON.parse(Buffer.from(args, "base64url").toString("utf8")));
  } catch {
    return "{}";
  }
};

const monotonicUs = (): number => Number(process.hrtime.bigint() / 1000n);

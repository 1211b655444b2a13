import type {
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  LanguageModelV4ToolResultPart,
} from "@ai-sdk/provider";
import { isRecord } from "../../../common/base/record.ts";
import type { ContextMessage } from "../../../common/compression/context-message.ts";
import type { ToolCall } from "../../../common/contracts/message.ts";
import type { EngineContext } from "../port.ts";

export const STOPPED_RESULT = "This call was stopped before it had a result.";

/** The outcome of one tool call, as the model will read it. */
export interface CallResult {
  readonly call: ToolCall;
  readonly content: string;
  readonly isError: boolean;
}

/**
 * The conversation as the provider wants it: every tool call is followed by its result and no result stands alone,
 * whatever a stopped turn or another writer left behind. Instructions come first, when there are any.
 */
export const conversationPrompt = (
  context: Pick<EngineContext, "instructions" | "messages">,
): LanguageModelV4Prompt => {
  const prompt: LanguageModelV4Prompt = [];
  if (context.instructions !== "") prompt.push({ role: "system", content: context.instructions });
  const { messages } = context;
  for (const [index, message] of messages.entries()) {
    if (message.role === "user")
      prompt.push({ role: "user", content: [{ type: "text", text: message.content }] });
    else if (message.role === "assistant") {
      const calls = message.toolCalls ?? [];
      prompt.push(
        ...stepMessages({
          text: message.content,
          // Reasoning of earlier turns stays out: providers refuse or ignore it.
          reasoning: "",
          results: calls.map((call) => resultOf(call, messages, index + 1)),
        }),
      );
    }
  }
  return prompt;
};

/** One step of the running turn: what the assistant said and asked for, then the results. */
export const stepMessages = (step: {
  readonly text: string;
  /** Models that think between their tool calls want it back within the turn. */
  readonly reasoning: string;
  readonly results: readonly CallResult[];
}): LanguageModelV4Message[] => {
  if (step.text === "" && step.results.length === 0) return [];
  const messages: LanguageModelV4Message[] = [
    {
      role: "assistant",
      content: [
        ...(step.reasoning === "" ? [] : [{ type: "reasoning" as const, text: step.reasoning }]),
        ...(step.text === "" ? [] : [{ type: "text" as const, text: step.text }]),
        ...step.results.map(({ call }) => ({
          type: "tool-call" as const,
          toolCallId: call.id,
          toolName: call.function.name,
          input: parsedArguments(call.function.arguments),
        })),
      ],
    },
  ];
  if (step.results.length > 0) messages.push({ role: "tool", content: step.results.map(resultPart) });
  return messages;
};

/** The tool message that answers `call`, in the run of tool messages from `start`. */
const resultOf = (call: ToolCall, messages: readonly ContextMessage[], start: number): CallResult => {
  for (let i = start; ; i++) {
    const message = messages[i];
    if (message?.role !== "tool") return { call, content: STOPPED_RESULT, isError: true };
    if (message.toolCallId === call.id) return { call, content: message.content, isError: message.isError };
  }
};

const resultPart = ({ call, content, isError }: CallResult): LanguageModelV4ToolResultPart => ({
  type: "tool-result",
  toolCallId: call.id,
  toolName: call.function.name,
  output: { type: isError ? "error-text" : "text", value: content },
});

/** Providers want an object; what a model wrote that is none was never run, and its result says so. */
const parsedArguments = (text: string): unknown => {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
};

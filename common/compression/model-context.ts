import { abandonedResult } from "../contracts/abandoned-result.ts";
import type { Message } from "../contracts/message.ts";
import type { ContextMessage } from "./context-message.ts";

/** A message of the model's context and where it comes from. */
export interface SourcedMessage {
  readonly message: ContextMessage;
  /** Of the transcript's message; null: made up here, as the result of a call that has none. */
  readonly id: string | null;
}

/**
 * The conversation as the model sees it: notices stay out, a partial answer stays in (C-9, R-40), and every tool call has
 * exactly one result, because providers refuse a request where one is missing.
 */
export const modelContext = (transcript: readonly Message[]): SourcedMessage[] => {
  const context: SourcedMessage[] = [];
  const add = (id: string | null, message: ContextMessage): void => void context.push({ id, message });
  let open: { readonly id: string; readonly name: string }[] = [];
  const closeOpen = (): void => {
    for (const call of open) {
      add(null, {
        role: "tool",
        toolCallId: call.id,
        toolName: call.name,
        content: abandonedResult("stopped"),
        isError: true,
      });
    }
    open = [];
  };
  for (const message of transcript) {
    switch (message.role) {
      case "user":
        closeOpen();
        add(message.id, { role: "user", content: message.content });
        break;
      case "assistant": {
        closeOpen();
        const calls = message.tool_calls ?? [];
        if (message.content === "" && calls.length === 0) break;
        add(message.id, {
          role: "assistant",
          content: message.content,
          ...(message.reasoning === undefined ? {} : { reasoning: message.reasoning }),
          ...(calls.length === 0 ? {} : { toolCalls: calls }),
        });
        open = calls.map((call) => ({ id: call.id, name: call.function.name }));
        break;
      }
      case "tool": {
        const index = open.findIndex((call) => call.id === message.tool_call_id);
        const call = open[index];
        if (call === undefined) break; // a result nobody asked for would be refused
        open.splice(index, 1);
        add(message.id, {
          role: "tool",
          toolCallId: call.id,
          toolName: message.tool_name ?? call.name,
          content: message.content,
          isError: message.is_error ?? false,
        });
        break;
      }
      case "notice":
        break;
    }
  }
  closeOpen();
  return context;
};

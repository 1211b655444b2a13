import type { Message } from "../../common/contracts/message.ts";
import { abandonedResult } from "../../common/lifecycle/tool-events.ts";
import type { ContextMessage } from "../engines/port.ts";

/**
 * The conversation as the model sees it: notices stay out, a partial answer stays in (C-9, R-40), and every tool call has
 * exactly one result, because providers refuse a request where one is missing.
 */
export const modelContext = (transcript: readonly Message[]): ContextMessage[] => {
  const context: ContextMessage[] = [];
  let open: { readonly id: string; readonly name: string }[] = [];
  const closeOpen = (): void => {
    for (const call of open) {
      context.push({
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
        context.push({ role: "user", content: message.content });
        break;
      case "assistant": {
        closeOpen();
        const calls = message.tool_calls ?? [];
        if (message.content === "" && calls.length === 0) break;
        context.push({
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
        context.push({
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

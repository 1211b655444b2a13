import type { ContextMessage } from "./context-message.ts";

/**
 * What is wrong with a context, as the strictest provider would see it (background-jobs B-23): user and assistant in turn, the user
 * first; each tool call answered once, right behind its message; no result without its call; no empty message. Empty: nothing.
 */
export const faultsOf = (context: readonly ContextMessage[]): readonly string[] => {
  const faults: string[] = [];
  let speaker: "user" | "assistant" | null = null;
  let open: string[] = [];
  context.forEach((message, index) => {
    const at = `message ${index}`;
    if (message.role === "tool") {
      if (!open.includes(message.toolCallId)) faults.push(`${at}: a result without its call`);
      open = open.filter((id) => id !== message.toolCallId);
      // The model goes on with its turn.
      speaker = "user";
      return;
    }
    if (open.length > 0) faults.push(`${at}: ${open.length} calls before it have no result`);
    open = [];
    if (message.role === speaker) faults.push(`${at}: ${message.role} twice`);
    if (index === 0 && message.role !== "user") faults.push("the first message is not the user's");
    speaker = message.role;
    if (message.role === "assistant") {
      const ids = (message.toolCalls ?? []).map(({ id }) => id);
      if (new Set(ids).size !== ids.length) faults.push(`${at}: an id of two calls`);
      open = ids;
      if (ids.length === 0 && message.content.trim() === "") faults.push(`${at}: empty`);
    } else if (message.content === "") faults.push(`${at}: empty`);
  });
  if (open.length > 0) faults.push(`${open.length} calls at the end have no result`);
  return faults;
};

import { join } from "node:path";
import type { Message } from "../contracts/message.ts";
import type { CanonicalStore } from "../lifecycle/deps.ts";
import { profileHome } from "../profiles/names.ts";
import type { EndedTurn } from "../runs/ledger.ts";
import { startStoreThread } from "../sqlite/client.ts";
import { deriveUid } from "../state-db/append.ts";
import type { CanonicalOps } from "../state-db/module.ts";
import { isTransient, type TurnRow } from "../state-db/port.ts";

/** What state.db calls the surface that wrote a session. */
const SOURCE = "webui";

/** The state.db of every profile below `home`, on a thread of their own: an outside writer's lock delays nothing else. */
export const openCanonicalStore = async (
  home: string,
): Promise<CanonicalStore & { close(): Promise<void> }> => {
  const thread = await startStoreThread<CanonicalOps>(
    new URL("../state-db/module.ts", import.meta.url),
    "own",
    null,
  );
  return {
    appendTurn: async ({ session, messages, record }: EndedTurn) => {
      const path = join(await profileHome(home, record.run.profile), "state.db");
      const result = await thread.call.appendTurn(path, {
        sessionId: session.id,
        source: SOURCE,
        title: session.title,
        model: record.run.model,
        cwd: session.workspace,
        profile: record.run.profile,
        rows: messages.flatMap(rowOf),
      });
      if (result.status === "ok") return "ok";
      return isTransient(result.reason) ? "later" : "refused";
    },
    close: () => thread.close(),
  };
};

/** Notices are ours alone: they are no part of the conversation that other programs continue. */
const rowOf = (message: Message): TurnRow[] => {
  if (message.role === "notice") return [];
  const calls = message.tool_calls;
  return [
    {
      uid: deriveUid(message.id),
      role: message.role,
      content: message.content,
      reasoning: message.reasoning,
      toolCalls: calls,
      toolCallId: message.tool_call_id,
      toolName: message.tool_name,
      finishReason: message.role === "assistant" ? (calls === undefined ? "stop" : "tool_calls") : undefined,
      timestamp: message.created_at,
    },
  ];
};

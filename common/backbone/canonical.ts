import type { Message } from "../contracts/message.ts";
import type { Appended, CanonicalStore } from "../lifecycle/deps.ts";
import { startStoreThread } from "../sqlite/client.ts";
import type { StoreObserver } from "../sqlite/observer.ts";
import type { CanonicalOps } from "../state-db/module.ts";
import { isTransient, type TurnRow } from "../state-db/port.ts";
import { fileOf } from "../state-db/read/versions.ts";
import { deriveUid } from "../state-db/uid.ts";
import { isForStore } from "../transcript/messages.ts";
import { OWN_SOURCE } from "../transcript/page.ts";
import { type StateStores, valueIn } from "../transcript/store.ts";

/** Times a conversation that goes on in another segment is followed there. */
const MAX_FOLLOWED = 3;

/** The state.db of every profile, on a thread of their own: an outside writer's lock delays nothing else. */
export const openCanonicalStore = async (
  stores: StateStores,
  /** Device and inode of the file that rows of ours are bound in; null: of none. */
  boundFile: (profile: string) => Promise<string | null>,
  observer?: StoreObserver,
): Promise<CanonicalStore & { close(): Promise<void> }> => {
  const thread = await startStoreThread<CanonicalOps>(
    new URL("../state-db/module.ts", import.meta.url),
    "own",
    null,
    observer,
  );
  const write = thread.call;

  const segmentsOf = async (path: string, storeId: string): Promise<readonly string[]> =>
    valueIn(await stores.call.segments(path, storeId))?.ids ?? [storeId];

  /** Another file, or none: until the mirror has seen it, earlier turns that it lacks are not on their way into it. */
  const isOther = async (profile: string, path: string): Promise<boolean> => {
    const known = await boundFile(profile);
    if (known === null) return false;
    const version = await stores.call.dataVersion(path);
    if (version.state === "ok") return fileOf(version.value.generation) !== known;
    return version.state === "missing";
  };

  return {
    append: async ({
      profile,
      storeId,
      session,
      model,
      messages,
      forkedFrom,
      newestOwnRow,
    }): Promise<Appended> => {
      const path = await stores.pathOf(profile);
      if (await isOther(profile, path)) return { status: "later" };
      const shared = messages.filter(isForStore);
      for (let tries = 0; ; tries++) {
        const tip = (await segmentsOf(path, storeId)).at(-1) ?? storeId;
        const result = await write.appendTurn(path, {
          sessionId: tip,
          source: OWN_SOURCE,
          title: session.title,
          model,
          cwd: session.workspace,
          profile,
          newestOwnRow,
          rows: shared.map(rowOf),
          ...(forkedFrom === null ? {} : { branchedFrom: forkedFrom }),
        });
        if (result.status === "ok") {
          const rows = shared.map((message, i) => ({
            messageId: message.id,
            rowId: result.rowIds[i] ?? 0,
            uid: deriveUid(message.id),
          }));
          return { status: "ok", rows, title: result.title };
        }
        if (result.reason === "continued_elsewhere" && tries < MAX_FOLLOWED) continue;
        return { status: isTransient(result.reason) ? "later" : "refused" };
      }
    },

    rewindOwn: async ({ profile, storeId, rows }) => {
      const path = await stores.pathOf(profile);
      const segments = await segmentsOf(path, storeId);
      // A row of ours that was removed is so wherever it stands: it may have been written after the cut.
      const everywhere = { keepThrough: 0, cutRowId: Number.MAX_SAFE_INTEGER };
      const result = await write.rewindOwn(path, { ...everywhere, segments, rows });
      return result.status === "ok" || !isTransient(result.reason);
    },
    deleteOwn: async ({ profile, storeId, rows }) => {
      const path = await stores.pathOf(profile);
      const segments = await segmentsOf(path, storeId);
      const result = await write.deleteOwn(path, { segments, rows, source: OWN_SOURCE });
      return result.status === "ok" || !isTransient(result.reason);
    },
    setTitle: async (profile, storeId, title) => {
      const path = await stores.pathOf(profile);
      const result = await write.setTitle(path, storeId, title, { source: OWN_SOURCE });
      return result.status === "ok" ? result.title : null;
    },
    close: () => thread.close(),
  };
};

/** Notices are ours alone: they are no part of the conversation that other programs continue. */
const rowOf = (message: Message): TurnRow => {
  const calls = message.tool_calls;
  return {
    uid: deriveUid(message.id),
    role: message.role === "notice" ? "assistant" : message.role,
    content: message.content,
    reasoning: message.reasoning,
    toolCalls: calls,
    toolCallId: message.tool_call_id,
    toolName: message.tool_name,
    finishReason: message.role === "assistant" ? (calls === undefined ? "stop" : "tool_calls") : undefined,
    timestamp: message.created_at,
  };
};

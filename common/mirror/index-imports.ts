import { createHash } from "node:crypto";
import type { MirrorDeps } from "./deps.ts";

const SESSIONS = 20;

/**
 * Brings imported messages that no state.db has into the search index, all of them again when an import changed something or
 * the index was made anew. Costs one look at the imported sessions' digests otherwise.
 */
export const indexImports = async ({ read, search }: Pick<MirrorDeps, "read" | "search">): Promise<void> => {
  const mark = createHash("sha256")
    .update((await read.importedMark()) ?? "")
    .digest("hex");
  if ((await search.localMark()) === mark) return;
  for (let after = ""; ; ) {
    const sessions = await read.importedMessages(after, SESSIONS);
    for (const { id, profile, messages } of sessions) {
      await search.dropLocal(id);
      await search.indexLocal(
        messages.map((message) => ({
          ...{ profile, sessionId: id, messageId: message.id, text: message.content, role: message.role },
          createdAt: message.created_at,
        })),
      );
      after = id;
    }
    if (sessions.length < SESSIONS) break;
  }
  await search.indexLocal([], mark);
};

import type { LifecycleDeps } from "./deps.ts";

/**
 * A conversation that we made carries its title in state.db, too: a person's, and one that was made for it. Rejects when talaria.db
 * cannot be read; a store that cannot be written keeps the title that it has.
 */
export const renameInStore = async (
  { read, write, canonical }: Pick<LifecycleDeps, "read" | "write" | "canonical">,
  sessionId: string,
): Promise<void> => {
  const row = await read.sessionRow(sessionId);
  if (row === null || row.title === null || row.store_id === null || row.title === row.store_title) return;
  if (row.title_source !== "user" && row.title_source !== "generated") return;
  const title = await canonical.setTitle(row.profile, row.store_id, row.title);
  // By our own doing: what comes back is no other program's name for it.
  if (title !== null) await write.noteStoreTitle(sessionId, title);
};

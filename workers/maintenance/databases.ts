import { startStoreThread } from "../../common/sqlite/client.ts";
import type { UpkeepOps } from "../../common/sqlite/upkeep-module.ts";
import type { Task } from "./task.ts";

/** SQLite's upkeep of our own databases, one after the other. `state.db` files belong to others, too, and are left alone. */
export const databasesTask =
  ({ paths }: { readonly paths: Readonly<Record<string, string>> }): Task =>
  async ({ signal }) => {
    const found: Record<string, unknown> = {};
    for (const [name, path] of Object.entries(paths)) {
      signal.throwIfAborted();
      const module = new URL("../../common/sqlite/upkeep-module.ts", import.meta.url);
      const thread = await startStoreThread<UpkeepOps>(module, "own", { path });
      try {
        found[name] = await thread.call.keepUp();
      } finally {
        await thread.close();
      }
    }
    return { done: Object.keys(found).length, more: found };
  };

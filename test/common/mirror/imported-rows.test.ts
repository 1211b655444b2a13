import { dirname } from "node:path";
import { expect, test } from "@jest/globals";
import { createBringUp } from "../../../common/mirror/bring-up.ts";
import { startStoreThread } from "../../../common/sqlite/client.ts";
import type { StateDbReadOps } from "../../../common/state-db/read/port.ts";
import { createStateStores } from "../../../common/transcript/store.ts";
import { createTranscripts } from "../../../common/transcript/transcripts.ts";
import { withTalariaDb } from "../../helpers/talaria-db.ts";
import { describeFile, make, mustRead, mutate } from "../state-db/read-files.ts";

type Role = "user" | "assistant" | "tool";

test("c.2.4 imported messages follow the rows they stand for: a rewind hides them, a local one stays", () =>
  withTalariaDb(async (db) => {
    const path = make("--sessions", "1", "--messages", "12", "--multimodal", "0");
    const [session] = describeFile(path).sessions;
    const storeId = session?.id ?? "";
    const module = new URL("../../../common/state-db/read/module.ts", import.meta.url);
    const thread = await startStoreThread<StateDbReadOps>(module, "read", null);
    try {
      const stores = createStateStores(dirname(path), thread.call);
      const rows = mustRead(await thread.call.displayPage(path, [storeId], { limit: 100 })).rows;
      const base = rows.map((row) => ({
        ...{ id: `imp_${row.rowId}`, rowId: row.rowId, uid: row.uid, content: row.content },
        ...{ role: row.role as Role },
        ...{ status: "complete" as const, origin: "webui", createdAt: row.createdAt ?? 0 },
      }));
      const note = {
        ...base[0],
        id: "imp_note",
        rowId: null,
        uid: null,
        role: "notice" as const,
        content: "kept",
      };
      await db.write.importSession({
        ...{ profile: "default", storeId, source: "webui", title: null, titleSource: null, model: null },
        ...{ workspace: null, pinned: false, archived: false, createdAt: 1, updatedAt: 1, forkedFrom: null },
        ...{ digest: "a", store: { id: storeId, cursor: session?.max_id ?? 0 } },
        messages: [...base, { ...note, createdAt: 2, status: "complete", origin: "webui" }],
      });
      const bringUp = createBringUp({ read: db.read, write: db.write, stores });
      const transcripts = createTranscripts(db.read, stores);
      const shown = async (): Promise<readonly string[]> =>
        (await transcripts.page(storeId, { limit: 100 })).data.map(({ id }) => id);
      await bringUp(storeId);
      expect(await shown()).toEqual([...base.map(({ id }) => id), "imp_note"]);

      mutate(path, "--rewind", storeId, "1");
      expect(await bringUp(storeId)).not.toBeNull();
      const visible = describeFile(path).sessions[0]?.visible ?? Number.NaN;
      expect(visible).toBeLessThan(base.length);
      expect(await shown()).toEqual([...base.slice(0, visible).map(({ id }) => id), "imp_note"]);
      expect((await db.sessions.head(storeId)).message_count).toBe(visible + 1);
    } finally {
      await thread.close();
    }
  }));

import { dirname } from "node:path";
import { expect, test } from "@jest/globals";
import type { Message } from "../../../common/contracts/message.ts";
import { startStoreThread } from "../../../common/sqlite/client.ts";
import type { StateDbReadOps } from "../../../common/state-db/read/port.ts";
import { createStateStores } from "../../../common/transcript/store.ts";
import { createTranscripts } from "../../../common/transcript/transcripts.ts";
import { withTalariaDb } from "../../helpers/talaria-db.ts";
import { alter, describeFile, make } from "../state-db/read-files.ts";

/** Reads every conversation of the file twice: forwards as a whole, and page by page from the end. */
const readBoth = async (
  path: string,
  check: (all: readonly Message[], paged: readonly Message[], storeId: string) => void,
): Promise<void> =>
  withTalariaDb(async (db) => {
    const module = new URL("../../../common/state-db/read/module.ts", import.meta.url);
    const thread = await startStoreThread<StateDbReadOps>(module, "read", null);
    try {
      const transcripts = createTranscripts(db.read, createStateStores(dirname(path), thread.call));
      const light = await thread.call.sessionsLight(path);
      if (light.state !== "ok") throw new Error(light.message);
      for (const one of light.value) {
        const found = {
          ...{ storeId: one.id, source: one.source, title: one.title, model: one.model, workspace: null },
          ...{ startedAt: one.startedAt, lastActivityAt: one.lastActivityAt, archived: false, pinned: false },
          ...{ forkedFrom: null, countHint: one.messageCountHint, mark: "[0,null,0]" },
        };
        const [id = ""] = await db.write.adoptSessions("default", [found], true);
        const all: Message[] = [];
        for await (const message of transcripts.all(id)) all.push(message);
        const paged: Message[] = [];
        for (let before: string | undefined; ; ) {
          const page = await transcripts.page(id, { limit: 97, before });
          paged.unshift(...page.data);
          if (page.next_cursor === null) break;
          before = page.next_cursor;
        }
        check(all, paged, one.id);
      }
    } finally {
      await thread.close();
    }
  });

test.each([
  ["one long session", ["--sessions", "2", "--messages", "7", "--big", "1500"]],
  ["compacted and rewound", ["--sessions", "3", "--messages", "700", "--compacted", "2", "--rewound", "1"]],
  ["rotated", ["--sessions", "1", "--messages", "350", "--lineage", "2", "--lineage-depth", "3"]],
  ["without an index by id", ["--sessions", "2", "--messages", "650", "--schema-version", "16"]],
])("all messages forwards are those of the pages: %s", async (_name, options) => {
  const path = make(...options);
  const visible = new Map(describeFile(path).sessions.map(({ id, visible }) => [id, visible]));
  await readBoth(path, (all, paged, id) => {
    expect(all.map((message) => message.id)).toEqual(paged.map((message) => message.id));
    expect(all.length).toBeGreaterThanOrEqual(visible.get(id) ?? 0);
  });
});

test("a session whose rows stand far apart among those of others, and then close together", async () => {
  const path = make("--sessions", "2", "--messages", "1200");
  const [first, second] = describeFile(path).sessions;
  // Every hundredth row of the first half, and all of the last quarter.
  const isFirst = "id <= 1200 AND id % 100 = 0 OR id > 1800";
  const sql = `UPDATE messages SET session_id = CASE WHEN ${isFirst} THEN ? ELSE ? END`;
  alter(path, sql, first?.id, second?.id);
  await readBoth(path, (all, paged) => {
    expect(all.length).toBeGreaterThan(550);
    expect(all.map((message) => message.id)).toEqual(paged.map((message) => message.id));
  });
});

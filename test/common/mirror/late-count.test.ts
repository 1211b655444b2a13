import { dirname } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { createBringUp } from "../../../common/mirror/bring-up.ts";
import { viewOf } from "../../../common/sessions/store-ops.ts";
import { startStoreThread } from "../../../common/sqlite/client.ts";
import type { StateDbReadOps } from "../../../common/state-db/read/port.ts";
import type { TalariaDb } from "../../../common/talaria-db/open.ts";
import { createTranscriptChanges } from "../../../common/transcript/changes.ts";
import { createStateStores, type StateStores } from "../../../common/transcript/store.ts";
import { createTranscripts } from "../../../common/transcript/transcripts.ts";
import { withTalariaDb } from "../../helpers/talaria-db.ts";
import { describeFile, make, mutate } from "../state-db/read-files.ts";

const ROWS = 1_600;

/** A session of another program, counted, longer than what is counted in one go. */
const withSession = async (
  work: (of: {
    readonly db: TalariaDb;
    readonly stores: StateStores;
    readonly id: string;
    readonly path: string;
    readonly bringUp: ReturnType<typeof createBringUp>;
    visible(): number;
  }) => Promise<void>,
): Promise<void> =>
  withTalariaDb(async (db) => {
    const path = make("--sessions", "1", "--big", String(ROWS));
    const [session] = describeFile(path).sessions;
    const storeId = session?.id ?? "";
    const module = new URL("../../../common/state-db/read/module.ts", import.meta.url);
    const thread = await startStoreThread<StateDbReadOps>(module, "read", null);
    try {
      const stores = createStateStores(dirname(path), thread.call);
      const light = await thread.call.sessionsLight(path);
      if (light.state !== "ok") throw new Error(light.message);
      const found = light.value.map((one) => ({
        ...{ storeId: one.id, source: one.source, title: one.title, model: one.model, workspace: null },
        ...{ startedAt: one.startedAt, lastActivityAt: one.lastActivityAt, archived: false, pinned: false },
        ...{ forkedFrom: null, countHint: one.messageCountHint, mark: JSON.stringify([0, one.tipId, 0]) },
      }));
      const [id = ""] = await db.write.adoptSessions("default", found, true);
      const bringUp = createBringUp({ read: db.read, write: db.write, stores });
      await bringUp(id, { late: true });
      const visible = (): number =>
        describeFile(path).sessions.find((one) => one.id === storeId)?.visible ?? Number.NaN;
      await work({ db, stores, id, path, bringUp, visible });
    } finally {
      await thread.close();
    }
  });

const told = async (db: TalariaDb, id: string): Promise<readonly string[]> =>
  (await db.write.takeChanges(id)).map(({ kind }) => kind);

describe("a count that takes longer than somebody waits", () => {
  test("rows that came are told of at once; how many there are is counted in the background, and told", () =>
    withSession(async ({ db, id, path, bringUp, visible }) => {
      const before = await db.sessions.head(id);
      expect(before).toMatchObject({ stale: false, message_count: visible() });
      const [session] = describeFile(path).sessions;
      mutate(path, "--append", session?.id ?? "", "700", "--per-commit", "700");

      expect(await bringUp(id, { newSince: session?.max_id ?? 0, withinMs: 0 })).not.toBeNull();
      expect(await told(db, id)).toEqual(["external"]);
      const meanwhile = await db.sessions.head(id);
      expect(meanwhile).toMatchObject({ stale: true, message_count: before.message_count });
      expect(meanwhile.revision).toBe(before.revision + 1);

      expect(await bringUp(id, { late: true })).not.toBeNull();
      expect(await told(db, id)).toEqual(["external"]);
      const after = await db.sessions.head(id);
      expect(after).toMatchObject({ stale: false, message_count: visible() });
      expect(after.revision).toBe(meanwhile.revision + 1);
    }));

  test("a turn that is taken back is off the count before anybody has counted", () =>
    withSession(async ({ db, stores, id, bringUp }) => {
      const { message_count: before } = await db.sessions.head(id);
      const changes = createTranscriptChanges({
        ...{ read: db.read, write: db.write, stores },
        transcripts: createTranscripts(db.read, stores),
        afterCut: async (sessionId) => void (await bringUp(sessionId, { withinMs: 0 })),
      });
      const { session, removed_count } = await changes.undo(id, 2);
      expect(removed_count).toBeGreaterThan(1);
      expect(session.message_count).toBe(before - removed_count);
      expect(await db.sessions.head(id)).toMatchObject({ stale: true });
      expect(await told(db, id)).toEqual(["cut"]);

      // Nothing to correct, hence nothing to tell.
      expect(await bringUp(id, { late: true })).toBeNull();
      expect(await db.sessions.head(id)).toMatchObject({
        stale: false,
        message_count: before - removed_count,
        revision: session.revision,
      });
    }));

  test("a count that began before a cut does not overwrite what the cut says", () =>
    withSession(async ({ db, id, bringUp }) => {
      const { message_count: before } = await db.sessions.head(id);
      const sight = await db.read.sightOf(id);
      if (sight === null) throw new Error("there is no such session");
      const view = viewOf(sight);
      const [own, from] = [[], { anchor: view.cursor, turn: -1, idx: 0 }];
      const cut = { kind: "truncate", keepThrough: view.cursor - 1, cutRowId: view.cursor } as const;
      await db.write.cutSession(id, {
        ...cut,
        standing: sight.row,
        file: null,
        removed: [],
        own,
        from,
        shown: 0,
      });
      const late = { ...{ cursor: view.cursor, count: view.count, time: view.time, counted: true } };
      const rest = { mark: view.mark, title: null, last: null, visible: false, reason: "external" } as const;
      expect(await db.write.updateFromStore({ sessionId: id, from: view, ...late, ...rest })).toBeNull();

      await bringUp(id, { late: true });
      expect(await db.sessions.head(id)).toMatchObject({ stale: false, message_count: before - 1 });
    }));

  test("it ends at once when the mirror closes, and changes nothing", () =>
    withSession(async ({ db, id, path, bringUp }) => {
      const [session] = describeFile(path).sessions;
      mutate(path, "--append", session?.id ?? "", "700", "--per-commit", "700");
      const before = await db.sessions.head(id);
      expect(await bringUp(id, { signal: AbortSignal.abort() })).toBeNull();
      expect(await db.sessions.head(id)).toEqual(before);
    }));
});

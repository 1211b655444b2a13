import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { DEFAULT_BOT_NAME } from "../contracts/notices.ts";
import type { ArchiveStore } from "../journal/port.ts";
import type { OutboxRow } from "../runs/ledger.ts";
import type { RunStore } from "../runs/port.ts";
import type { SessionStore } from "../sessions/port.ts";
import { type Async, startStoreThread } from "../sqlite/client.ts";
import type { StoreObserver } from "../sqlite/observer.ts";
import type { ReadOps, WriteOps } from "./module.ts";

/** talaria.db of this process: one thread that writes, one that reads, and the stores over them. */
export interface TalariaDb {
  readonly write: Async<WriteOps>;
  readonly read: Async<ReadOps>;
  readonly sessions: SessionStore;
  readonly runs: RunStore;
  readonly archive: ArchiveStore;
  /** Where acceptance hands the outbox rows it wrote and leased; set by the dispatcher. */
  onOutbox: (rows: readonly OutboxRow[]) => void;
  close(): Promise<void>;
}

/** Opens (and migrates) `path`, creating it and its folder (0700) when missing. */
export const openTalariaDb = async (
  path: string,
  observe?: (store: string) => StoreObserver,
): Promise<TalariaDb> => {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const module = new URL("./module.ts", import.meta.url);
  const writer = await startStoreThread<WriteOps>(module, "write", { path }, observe?.("talaria-db-write"));
  const reader = await startStoreThread<ReadOps>(module, "read", { path }, observe?.("talaria-db-read"));
  const write = writer.call;
  const read = reader.call;

  const sessions: SessionStore = {
    create: (input) => write.createSession(input),
    get: (id) => read.getSession(id),
    list: (query) => read.listSessions(query),
    patch: (id, change) => write.patchSession(id, change),
    markRead: (id) => write.markRead(id),
    head: (id) => read.sessionHead(id),
    heads: (ids) => read.sessionHeads(ids),
    // A name that cannot be read must not stop a stop (C-6).
    settings: async () => ({
      bot_name: (await read.getSetting("bot_name").catch(() => null)) ?? DEFAULT_BOT_NAME,
    }),
    patchSettings: async (change) => {
      await write.patchSettings(change);
      return sessions.settings();
    },
  };
  const runs: RunStore = {
    accept: async (request) => {
      const { outbox, ...accepted } = await write.acceptRun(request);
      if (outbox.length > 0) db.onOutbox(outbox);
      return accepted;
    },
    replay: (sessionId, { key, bodyHash }) => read.replayOf(sessionId, key, bodyHash),
    get: (id) => read.getRun(id),
    list: (query) => read.listRuns(query),
    unfinished: (sessionId) => read.unfinishedRuns(sessionId),
  };
  const archive: ArchiveStore = {
    put: (run) => write.putArchive(run),
    get: (runId) => read.getArchive(runId),
    after: (sessionId, seq, limit) => read.archivesAfter(sessionId, seq, limit),
  };
  const db: TalariaDb = {
    write,
    read,
    sessions,
    runs,
    archive,
    onOutbox: () => {},
    close: async () => {
      await writer.close();
      await reader.close();
    },
  };
  return db;
};

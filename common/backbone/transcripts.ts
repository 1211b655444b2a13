import { join } from "node:path";
import type { Closers } from "../base/closers.ts";
import type { StoreInfo } from "../contracts/http.ts";
import type { CanonicalStore, LifecycleDeps } from "../lifecycle/deps.ts";
import type { Dispatcher } from "../lifecycle/dispatcher.ts";
import type { Logger } from "../logging/logger.ts";
import { type Mirror, startMirror } from "../mirror/start.ts";
import { listProfiles } from "../profiles/names.ts";
import { checkWorkspace } from "../profiles/workspace.ts";
import { openSearch, type Search } from "../search/open.ts";
import { startStoreThread } from "../sqlite/client.ts";
import type { StoreObserver } from "../sqlite/observer.ts";
import type { StateDbReadOps } from "../state-db/read/port.ts";
import type { TalariaDb } from "../talaria-db/open.ts";
import { createTranscriptChanges } from "../transcript/changes.ts";
import { createContextReader } from "../transcript/context.ts";
import { createFinder, type Finder } from "../transcript/find.ts";
import type { ContextReader, TranscriptChanges, Transcripts } from "../transcript/port.ts";
import { createStateStores, type StateStores } from "../transcript/store.ts";
import { createTranscripts } from "../transcript/transcripts.ts";
import { openCanonicalStore } from "./canonical.ts";

/** The state.db files of a home: read for people, written for our turns. */
export interface StateFiles {
  readonly stores: StateStores;
  readonly canonical: CanonicalStore;
  /** See `LifecycleDeps`. */
  readonly newestRow: LifecycleDeps["newestRow"];
}

/** The one transcript of sidecar and state.db, and what keeps both true to each other. */
export interface TranscriptRoom {
  readonly files: StateStores;
  readonly transcripts: Transcripts;
  readonly context: ContextReader;
  readonly changes: TranscriptChanges;
  readonly finder: Finder;
  readonly mirror: Mirror;
  readonly search: Search;
  /** State of each profile's file as it was last seen. */
  stores(): Promise<readonly StoreInfo[]>;
}

export const openStateFiles = async (
  home: string,
  db: TalariaDb,
  closers: Closers,
  observe?: (store: string) => StoreObserver,
): Promise<StateFiles> => {
  const stores = await openReader(home, "state.db reader", closers, observe?.("state-db-read"));
  const canonical = await openCanonicalStore(
    stores,
    async (profile) => (await db.read.getStore(profile))?.file ?? null,
    observe?.("state-db-write"),
  );
  closers.add("state.db writer", () => canonical.close());
  return {
    stores,
    canonical,
    newestRow: async (sessionId) => {
      const row = await db.read.sessionRow(sessionId);
      if (row === null) return 0;
      const path = await stores.pathOf(row.profile);
      // A first turn may be there and not be bound yet.
      const chain = await stores.call.segments(path, row.store_id ?? row.id);
      if (chain.state !== "ok" || chain.value === null) return row.store_cursor;
      const newest = await stores.call.maxRowId(path, chain.value.ids);
      return newest.state === "ok" ? newest.value : row.store_cursor;
    },
  };
};

export const openTranscripts = async (deps: {
  readonly home: string;
  readonly stateDir: string;
  readonly name: string;
  readonly db: TalariaDb;
  readonly files: StateFiles;
  readonly dispatcher: Dispatcher;
  readonly hint: LifecycleDeps["hint"];
  readonly closers: Closers;
  readonly log: Logger;
}): Promise<TranscriptRoom> => {
  const { closers, db, dispatcher, files, home, log, name } = deps;
  const { read, write } = db;
  const { stores } = files;
  const profiles = (): Promise<readonly string[]> => listProfiles(home);
  const search = await openSearch(join(deps.stateDir, "search.db"));
  closers.add("search.db", () => search.close());
  // A thread of its own: counting a long session must not delay the pages that people open.
  const mirrorStores = await openReader(home, "state.db mirror", closers);
  const mirror = startMirror({
    ...{
      name,
      read,
      write,
      stores: mirrorStores,
      canonical: files.canonical,
      dispatcher,
      search,
      profiles,
      log,
    },
    hint: deps.hint,
    workspace: (path) => checkWorkspace(home, path).catch(() => null),
  });
  closers.add("mirror", () => mirror.close());
  const transcripts = createTranscripts(read, stores);
  return {
    files: stores,
    transcripts,
    context: createContextReader({ read, write, stores }),
    changes: createTranscriptChanges({
      ...{ read, write, stores, transcripts },
      afterCut: async (sessionId) => {
        await mirror.refresh(sessionId);
        await mirror.settle();
      },
    }),
    finder: createFinder({ read, stores, search, profiles }),
    mirror,
    search,
    stores: async () =>
      (await read.listStores()).map(({ profile, state, newer, version, sessions, indexed }) => ({
        ...{ profile, newer, version, sessions, indexed },
        // A profile that has no file yet is no trouble.
        state: state === "missing" && sessions === 0 ? "none" : state,
      })),
  };
};

const openReader = async (
  home: string,
  what: string,
  closers: Closers,
  observer?: StoreObserver,
): Promise<StateStores> => {
  const module = new URL("../state-db/read/module.ts", import.meta.url);
  const thread = await startStoreThread<StateDbReadOps>(module, "read", null, observer);
  closers.add(what, () => thread.close());
  return createStateStores(home, thread.call);
};

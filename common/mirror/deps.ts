import type { Logger } from "pino";
import type { SessionsChanged } from "../contracts/events.ts";
import type { CanonicalStore } from "../lifecycle/deps.ts";
import type { Dispatcher } from "../lifecycle/dispatcher.ts";
import type { IndexOps, SearchOps } from "../search/port.ts";
import type { Async } from "../sqlite/client.ts";
import type { ReadOps, WriteOps } from "../talaria-db/module.ts";
import type { StateStores } from "../transcript/store.ts";

/** What keeps `sessions` true to the state.db files. */
export interface MirrorDeps {
  /** Unique per process start: whoever holds a profile's lease follows its file. */
  readonly name: string;
  readonly read: Async<ReadOps>;
  readonly write: Async<WriteOps>;
  /** A thread of the mirror's own: counting must not delay the pages that people open. */
  readonly stores: StateStores;
  readonly canonical: Pick<CanonicalStore, "rewindOwn" | "deleteOwn">;
  readonly dispatcher: Pick<Dispatcher, "handle">;
  readonly search: Pick<Async<IndexOps & SearchOps>, "indexSome" | "indexLocal" | "dropLocal" | "localMark">;
  /** The folder as runs may use it, or null: a conversation's own may be gone, or none that tools may touch. */
  readonly workspace: (path: string) => Promise<string | null>;
  readonly profiles: () => Promise<readonly string[]>;
  readonly hint: (hint: SessionsChanged) => void;
  readonly log: Logger;
}

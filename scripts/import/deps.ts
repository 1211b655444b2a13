import type { ImportTarget } from "../../common/exchange/hermes-webui/port.ts";
import type { Async } from "../../common/sqlite/client.ts";
import type { StateDbReadOps } from "../../common/state-db/read/port.ts";
import type { SessionsFolder } from "./folder.ts";

export interface ImportDeps {
  readonly folder: SessionsFolder;
  readonly home: string;
  /** Those that exist here. */
  readonly profiles: readonly string[];
  /** For sessions whose own profile does not; null: the default one. */
  readonly profile: string | null;
  readonly store: Async<StateDbReadOps>;
  readonly target: ImportTarget;
  /** Nothing is written; everything else happens as it would. */
  readonly dryRun: boolean;
}

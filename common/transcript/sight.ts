import { TalariaError } from "../base/errors.ts";
import type { StoreState } from "../contracts/session.ts";
import type { StoredCut } from "../sessions/cut-ops.ts";
import type { SessionRow } from "../sessions/rows.ts";
import type { Async } from "../sqlite/client.ts";
import type { Hidden, Segments } from "../state-db/read/port.ts";
import { fileOf } from "../state-db/read/versions.ts";
import type { ReadOps } from "../talaria-db/module.ts";
import type { StateStores } from "./store.ts";

/** What can be seen of a session: its row here and, where its file can be read, the conversation there. */
export interface Sight {
  readonly row: SessionRow;
  /** The newest cut; 0 without one. */
  readonly lastCut: number;
  /** The sidecar has messages of it. */
  readonly isOurs: boolean;
  /** "ok" with `store` null: the file is fine and holds no such conversation. */
  readonly state: StoreState;
  readonly store: StoreSight | null;
}

export interface StoreSight {
  readonly path: string;
  readonly segments: Segments;
  /** Device and inode of the file. */
  readonly file: string;
  /** What a person removed, and what imported messages stand for. */
  readonly hidden: Hidden;
}

/** Looks at a session. Rejects with `session_not_found`; whatever the file does is told by `state`. */
export const createLook =
  (read: Async<ReadOps>, stores: StateStores) =>
  async (sessionId: string): Promise<Sight> => {
    const found = await read.sightOf(sessionId);
    if (found === null) throw new TalariaError("session_not_found", "there is no such session");
    const { cuts, ...ours } = found;
    const { row } = found;
    if (row.store_id === null) return { ...ours, state: "none", store: null };
    const path = await stores.pathOf(row.profile);
    // The one that waits for locks goes first: the other one waits for none for long (a.10).
    const [segments, version] = await Promise.all([
      stores.call.segments(path, row.store_id),
      stores.call.dataVersion(path),
    ]);
    if (segments.state !== "ok") return { ...ours, state: segments.state, store: null };
    if (version.state !== "ok") return { ...ours, state: version.state, store: null };
    if (segments.value === null) return { ...ours, state: "ok", store: null };
    const file = fileOf(version.value.generation);
    const hidden = hiddenBy(cuts, file, row.base_cursor);
    return { ...ours, state: "ok", store: { path, segments: segments.value, file, hidden } };
  };

/** What passes by itself: who must not do without the file comes again. */
export const isAwayForNow = ({ state }: Pick<Sight, "state">): boolean =>
  state === "locked" || state === "unavailable";

/** For what cannot be answered without the file. */
export const storeUnavailable = (): TalariaError =>
  new TalariaError("store_unavailable", "state.db cannot be read right now", { retryAfterS: 2 });

/** Row ids mean something only in the file they are of; identities mean something in every one (c.4). */
const hiddenBy = (cuts: readonly StoredCut[], file: string, floor: number): Hidden => ({
  ranges: cuts
    .filter((cut) => cut.cutRowId > cut.keepThrough && (cut.file === null || cut.file === file))
    .map((cut) => [cut.keepThrough, cut.cutRowId] as const),
  removed: cuts.flatMap((cut) => cut.removed),
  floor,
});

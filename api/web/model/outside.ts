import type { SessionHead } from "../../../common/contracts/session.ts";
import type { ConnectionStatus } from "./connection.ts";
import type { SessionState } from "./session-state.ts";

/**
 * When the page reads a transcript again because somebody else changed it (session-reconciliation d.2, B1 to B11). The
 * decisions only; `runtime/outside-watch.ts` and `runtime/transcript-reader.ts` carry them out.
 */
export interface Outlook {
  readonly hidden: boolean;
  /** The session is the one on the screen. */
  readonly inView: boolean;
}

/** Why a change from outside is not read yet; null: now (B2). */
export type Hold = "gone" | "not_in_view" | "hidden" | "run" | "editing";

export const holdOf = (state: SessionState, { hidden, inView }: Outlook): Hold | null => {
  if (state.phase === "missing") return "gone";
  if (!inView) return "not_in_view";
  if (hidden) return "hidden";
  if (state.editing !== null) return "editing";
  // A cut comes before the run that replaces what it took: what is gone must not stand above the new answer.
  if (state.outside?.cut !== true && hasOwnRun(state)) return "run";
  return null;
};

/** A run of this session is on its way, goes on, or its end is not applied yet. */
export const hasOwnRun = (state: SessionState): boolean => state.runs.size > 0 || state.pending.length > 0;

/** The newest page has to be read: the state asks for it itself, or a change from outside is due. */
export const isReadDue = (state: SessionState, outlook: Outlook): boolean =>
  state.phase !== "missing" &&
  (state.reads.wanted > state.reads.done || (state.outside !== null && holdOf(state, outlook) === null));

/** Notes a change of `revision` from outside. Swarms collapse into one wish with the highest revision (B7). */
export const wantOutside = (state: SessionState, revision: number, cut: boolean): SessionState => {
  if (revision <= state.revision) return state; // what is shown includes it
  const { outside } = state;
  const next = {
    revision: Math.max(revision, outside?.revision ?? 0),
    cut: cut || (outside?.cut ?? false),
  };
  if (outside?.revision === next.revision && outside.cut === next.cut) return state;
  return { ...state, outside: next };
};

/** What a head asks for: the messages, the session's own fields, or nothing (B3). */
export const headAsksFor = (state: SessionState, head: SessionHead): "messages" | "session" | "nothing" => {
  if (head.stale || head.revision <= state.revision || head.active_run_id !== null || hasOwnRun(state))
    return "nothing";
  const { session } = state;
  const same =
    session !== null &&
    session.message_count === head.message_count &&
    session.last_message_at === head.last_message_at;
  return same ? "session" : "messages";
};

/** How long the event stream may be away before polling takes its place. */
export const DOWN_GRACE_MS = 5_000;
/** Between two polls of the list while the stream is away. */
export const LIST_POLL_MS = 30_000;
/** Checks on focus, visibility, network and page restore: at most one in this time. */
export const CHECK_GAP_MS = 1_000;
/** Failed polls in a row after which the person is told. */
export const STALE_AFTER = 3;
const POLL_MS = 5_000;
const MAX_POLL_MS = 60_000;

export const isDown = ({ kind }: ConnectionStatus): boolean => kind === "reconnecting" || kind === "offline";

/** Milliseconds until the next poll after `failures` failed ones, spread by a quarter to each side (B10). */
export const pollMs = (failures: number, random: number): number =>
  failures === 0 ? POLL_MS : Math.round(Math.min(MAX_POLL_MS, POLL_MS * 2 ** failures) * (0.75 + random / 2));

import { greatestValid, parseRunCursor, parseSessionCursor } from "../../common/journal/cursor.ts";
import type { CursorCheck, Journal } from "../../common/journal/port.ts";
import type { LogPosition } from "./port.ts";

/** Where a stream begins; settled before the headers go out. */
export type RunStart =
  /** `reset`: the client holds something that the journal does not. */
  | { readonly kind: "start"; readonly reset: boolean }
  | ({ readonly kind: "after"; readonly runSeq: number } & LogPosition);

export type SessionStart =
  | { readonly kind: "start" }
  | ({ readonly kind: "after" } & LogPosition)
  | { readonly kind: "snapshot"; readonly reset: boolean };

/**
 * Resolves the cursors of a request for a run's stream: the greatest valid one wins. One that names no entry of this
 * run replays from the start and never skips; malformed ones and those of other runs say nothing about what the
 * client holds, so they need no `reset`. Rejects when the journal has to be asked and cannot be.
 */
export const resolveRunStart = async (
  journal: Journal,
  run: { readonly id: string; readonly sessionId: string },
  cursors: readonly string[],
): Promise<RunStart> => {
  const checks: CursorCheck[] = [];
  for (const cursor of cursors)
    if (parseRunCursor(cursor, run.id)?.kind === "entry")
      checks.push(await journal.checkRunCursor(run.sessionId, run.id, cursor));
  const best = greatestValid(checks);
  if (best === null) return { kind: "start", reset: false };
  if (best.kind === "after") return best;
  return { kind: "start", reset: true };
};

/**
 * The same for a session's stream: without a cursor it begins "from now" with a snapshot, with `0` at the start of the log.
 * A malformed cursor counts as an unknown one: a snapshot is not a replay, so the client must be told to start over.
 */
export const resolveSessionStart = async (
  journal: Journal,
  sessionId: string,
  cursors: readonly string[],
): Promise<SessionStart> => {
  const checks: CursorCheck[] = [];
  let fromStart = false;
  for (const cursor of cursors) {
    const parsed = parseSessionCursor(cursor);
    if (parsed?.kind === "start") fromStart = true;
    else
      checks.push(
        parsed === null ? { kind: "unknown" } : await journal.checkSessionCursor(sessionId, cursor),
      );
  }
  const best = greatestValid(checks);
  if (best?.kind === "after") return best;
  if (best !== null || !fromStart) return { kind: "snapshot", reset: best?.kind === "unknown" };
  const start = await journal.checkSessionCursor(sessionId, "0");
  return start.kind === "after" ? { kind: "start" } : { kind: "snapshot", reset: false };
};

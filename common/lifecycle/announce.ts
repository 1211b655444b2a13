import { isTalariaError } from "../base/errors.ts";
import type { SessionEvent } from "../contracts/events.ts";
import type { Session } from "../contracts/session.ts";
import { entryOf, type LifecycleDeps } from "./deps.ts";

type Deps = Pick<LifecycleDeps, "read" | "journal" | "hint">;
type Changed = Extract<SessionEvent, { event: "session_changed" }>["payload"]["reason"];

/**
 * Journals an event of a session, once per key. Resolves with the log's last seq; 0 when the session is gone, or `eventOf` says
 * that there is nothing to tell of it. Rejects when Redis cannot be reached.
 */
export const journalOf = async (
  { read, journal }: Pick<Deps, "read" | "journal">,
  sessionId: string,
  eventOf: (session: Session) => { readonly key: string; readonly event: SessionEvent } | null,
): Promise<number> => {
  const fence = await read.sessionFence(sessionId).catch((error: unknown) => {
    if (isTalariaError(error, "session_not_found")) return null;
    throw error;
  });
  const told = fence === null ? null : eventOf(fence.session);
  if (fence === null || told === null) return 0;
  const { generation, minSeq } = fence;
  const target = { sessionId, runId: null, generation, attempt: 0, minSeq };
  const result = await journal.announce(target, told.key, [entryOf(told.event)]);
  return result.status === "ok" ? result.lastSeq : 0;
};

/** Journals that a session changed, once per revision and reason, and hints it to the lists; see `journalOf`. */
export const announceSession = (deps: Deps, sessionId: string, reason: Changed): Promise<number> =>
  journalOf(deps, sessionId, (session) => {
    deps.hint({ session_id: sessionId, profile: session.profile });
    const isExternal = reason === "external";
    const origin = session.source === "talaria" ? "external" : session.source;
    return {
      key: `revision-${session.revision}${isExternal ? "-external" : ""}`,
      event: { event: "session_changed", payload: { session, reason, ...(isExternal ? { origin } : {}) } },
    };
  });

/** The same for a title that nobody gave it (background-jobs B-12). */
export const announceTitle = (deps: Deps, sessionId: string): Promise<number> =>
  journalOf(deps, sessionId, (session) => {
    const { title } = session;
    if (title === null) return null;
    deps.hint({ session_id: sessionId, profile: session.profile });
    const payload = { session_id: sessionId, title, session };
    return { key: `revision-${session.revision}-title`, event: { event: "title", payload } };
  });

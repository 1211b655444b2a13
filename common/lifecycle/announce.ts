import { isTalariaError } from "../base/errors.ts";
import type { SessionEvent } from "../contracts/events.ts";
import type { AppendResult } from "../journal/port.ts";
import { entryOf, type LifecycleDeps } from "./deps.ts";

type Changed = Extract<SessionEvent, { event: "session_changed" }>["payload"]["reason"];

/**
 * Journals that a session changed, once per revision and reason, and hints it to the lists. Null when the session is gone.
 * Rejects when Redis cannot be reached.
 */
export const announceSession = async (
  deps: Pick<LifecycleDeps, "read" | "journal" | "hint">,
  sessionId: string,
  reason: Changed | "title",
): Promise<AppendResult | null> => {
  const fence = await sessionFence(deps, sessionId);
  if (fence === null) return null;
  const { session, generation, minSeq } = fence;
  deps.hint({ session_id: sessionId, profile: session.profile });
  const origin = session.source === "talaria" ? "external" : session.source;
  return deps.journal.announce(
    { sessionId, runId: null, generation, attempt: 0, minSeq },
    `revision-${session.revision}${reason === "external" || reason === "title" ? `-${reason}` : ""}`,
    [
      entryOf(
        reason === "title"
          ? { event: "title", payload: { session_id: sessionId, title: session.title ?? "", session } }
          : {
              event: "session_changed",
              payload: { session, reason, ...(reason === "external" ? { origin } : {}) },
            },
      ),
    ],
  );
};

/** What is needed to journal something of a session; null when it is gone. */
export const sessionFence = ({ read }: Pick<LifecycleDeps, "read">, sessionId: string) =>
  read.sessionFence(sessionId).catch((error: unknown) => {
    if (isTalariaError(error, "session_not_found")) return null;
    throw error;
  });

import { isTalariaError } from "../base/errors.ts";
import type { SessionEvent } from "../contracts/events.ts";
import type { AppendResult } from "../journal/port.ts";
import { entryOf, type LifecycleDeps } from "./deps.ts";

/**
 * Journals that a session changed, once per revision and reason, and hints it to the lists. Null when the session is gone.
 * Rejects when Redis cannot be reached.
 */
export const announceSession = async (
  { read, journal, hint }: Pick<LifecycleDeps, "read" | "journal" | "hint">,
  sessionId: string,
  reason: SessionEvent["payload"]["reason"],
): Promise<AppendResult | null> => {
  const fence = await read.sessionFence(sessionId).catch((error: unknown) => {
    if (isTalariaError(error, "session_not_found")) return null;
    throw error;
  });
  if (fence === null) return null;
  const { session, generation, minSeq } = fence;
  hint({ session_id: sessionId, profile: session.profile });
  const origin = session.source === "talaria" ? "external" : session.source;
  return journal.announce(
    { sessionId, runId: null, generation, attempt: 0, minSeq },
    `revision-${session.revision}${reason === "external" ? "-external" : ""}`,
    [
      entryOf({
        event: "session_changed",
        payload: { session, reason, ...(reason === "external" ? { origin } : {}) },
      }),
    ],
  );
};

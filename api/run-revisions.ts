import type { RunStore } from "../common/runs/port.ts";
import type { SessionStore } from "../common/sessions/port.ts";

/** The same runs, each accepted with the configuration revision that its profile has at that moment (profiles P-4). */
export const withRevisions = (
  runs: RunStore,
  sessions: Pick<SessionStore, "get">,
  revisionOf: (profile: string) => Promise<string>,
): RunStore => ({
  ...runs,
  accept: async (request) => {
    const { profile } = await sessions.get(request.sessionId);
    // A message is accepted all the same: its run says what is wrong with the profile (P-6).
    const configRevision = await revisionOf(profile).catch(() => null);
    return runs.accept({ ...request, configRevision });
  },
});

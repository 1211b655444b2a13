import type { RunLimits } from "../common/contracts/profile.ts";
import type { RunStore } from "../common/runs/port.ts";
import type { SessionStore } from "../common/sessions/port.ts";

/**
 * The same runs, each accepted with the configuration revision that its profile has at that moment (profiles P-4), and with the
 * limits that it sets to its runs.
 */
export const withProfileTerms = (
  runs: RunStore,
  sessions: Pick<SessionStore, "get">,
  termsOf: (profile: string) => Promise<{ readonly revision: string; readonly limits: RunLimits }>,
): RunStore => ({
  ...runs,
  accept: async (request) => {
    const { profile } = await sessions.get(request.sessionId);
    // A message is accepted all the same: its run says what is wrong with the profile (P-6).
    const terms = await termsOf(profile).catch(() => null);
    return runs.accept({
      ...request,
      configRevision: terms?.revision ?? null,
      limits: terms?.limits ?? null,
    });
  },
});

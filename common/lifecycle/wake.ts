import type { WakeTerms } from "../processes/wake-ops.ts";
import type { OutboxRow } from "../runs/ledger.ts";
import type { LifecycleDeps } from "./deps.ts";

export interface WakeOptions {
  /** What a profile's files say now, read fresh. Rejects where they cannot be read. */
  readonly termsOf: (profile: string) => Promise<WakeTerms>;
  /** Ends older than this are only shown, in seconds; 0: none is too old (background-jobs B-37). */
  readonly maxAgeS: number;
}

/**
 * Begins the turn that ended background processes of a session ask for, under the session's own profile (profiles P-5). Repeating it is
 * harmless. `done` false: look again soon. What was decided is in `outbox`, to be told by the caller.
 */
export type Wake = (
  sessionId: string,
) => Promise<{ readonly done: boolean; readonly outbox: readonly OutboxRow[] }>;

export const createWake =
  (
    { read, write, log }: Pick<LifecycleDeps, "read" | "write" | "log">,
    { termsOf, maxAgeS }: WakeOptions,
  ): Wake =>
  async (sessionId) => {
    const session = await read.findSession(sessionId);
    if (session === null) return { done: true, outbox: [] };
    // The turn is begun all the same: it says what is wrong with the profile (P-6).
    const terms = await termsOf(session.profile).catch(() => null);
    const { again, run, outbox } = await write.wakeSession(sessionId, terms, maxAgeS);
    if (run !== null)
      log.info({ run: run.id, session: sessionId, profile: run.profile }, "turn begun for ended processes");
    return { done: !again, outbox };
  };

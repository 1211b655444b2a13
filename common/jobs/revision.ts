import type { Job } from "../contracts/job.ts";
import type { SessionRow } from "../sessions/rows.ts";

/** The revision of what a kind of work changes: its result is applied only while that is the one it was worked out from (B-2). */
export const revisionOf = (kind: Job["kind"], session: SessionRow): number => REVISIONS[kind](session);

const REVISIONS: Readonly<Record<Job["kind"], (session: SessionRow) => number>> = {
  title: ({ title_revision }) => title_revision,
  // Its key names the message that it stands behind; nothing else of the session bears on it.
  recap: () => 0,
  compression: ({ context_revision }) => context_revision,
};

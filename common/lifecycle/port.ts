import type { Run } from "../contracts/run.ts";
import type { Session } from "../contracts/session.ts";
import type { OutboxRow } from "../runs/ledger.ts";

/** What the api process asks of the lifecycle room; every call works while Redis is away. */
export interface RunControl {
  /**
   * Stops a run. `ended` tells that it had ended before (nothing changed). A queued run is settled at once without a worker;
   * a running one becomes `cancelling`, and is settled without its worker after the grace time (reliability 9).
   * Rejects with `run_not_found`.
   */
  cancel(runId: string): Promise<{ readonly run: Run; readonly ended: boolean }>;
  /** Cancels the session's runs, removes its rows and its journal. Rejects with `session_not_found`. */
  deleteSession(sessionId: string): Promise<void>;
  /**
   * Removes the sessions of a profile that is being deleted. Rejects with `profile_busy`, nothing changed, when it has unfinished
   * runs; `anyway` stops those. See `dropProfile`.
   */
  dropProfile(profile: string, anyway: boolean): Promise<void>;
  /** Journals an ended run again whose events were lost with Redis before they were archived, from the transcript. */
  rejournal(runId: string): Promise<void>;
  /** Tells followers of the list and of the session that it changed. Never rejects. */
  sessionChanged(sessionId: string, reason: "created" | "patched" | "deleted"): Promise<void>;
  /** Hints to the lists that something small of the session changed: read, counted. Without an id: of the profile itself. */
  hint(of: Pick<Session, "profile"> & Partial<Pick<Session, "id">>): void;
  /** Tells what a transaction decided. Never rejects. */
  tell(rows: readonly OutboxRow[]): Promise<void>;
}

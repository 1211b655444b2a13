import type { Process } from "../../../common/contracts/process.ts";

/** A command that outlives the call and the run that started it. */
export interface BackgroundCommand {
  readonly command: string;
  /** Its end begins a turn of the session. */
  readonly notify: boolean;
  readonly maxLifeS: number;
}

/**
 * The background processes of one session, as the tools of a run of it reach them: no id of another session means anything here, and
 * what is started belongs to the run's session by construction (profiles P-21, background-jobs B-35).
 */
export interface SessionProcesses {
  /** Durable before anything is started. */
  start(command: BackgroundCommand): Promise<{ readonly id: string } | { readonly refused: string }>;
  /** The newest first. */
  list(): Promise<readonly Process[]>;
  /** With what it has printed so far; null: the session has no such process. */
  output(id: string): Promise<{ readonly process: Process; readonly output: string } | null>;
  /** Asks for its end, and gives it a moment. */
  kill(id: string): Promise<Process | null>;
}

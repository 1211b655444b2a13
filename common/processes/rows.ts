import type { Process, ProcessReason } from "../contracts/process.ts";

export interface ProcessRow {
  readonly id: string;
  readonly session_id: string;
  readonly profile: string;
  readonly run_id: string;
  readonly command: string;
  readonly worker: string;
  readonly state: Process["state"];
  readonly notify: number;
  readonly started_at: number;
  readonly seen_at: number;
  readonly kill_by: "model" | "person" | null;
  readonly ended_at: number | null;
  readonly reason: ProcessReason | null;
  readonly exit_code: number | null;
  readonly signal: string | null;
  readonly output: string;
  readonly completion: Process["completion"];
  readonly wake_run_id: string | null;
}

export const processFromRow = (row: ProcessRow): Process => ({
  id: row.id,
  session_id: row.session_id,
  profile: row.profile,
  run_id: row.run_id,
  command: row.command,
  state: row.state,
  reason: row.reason,
  exit_code: row.exit_code,
  signal: row.signal,
  notify: row.notify === 1,
  completion: row.completion,
  wake_run_id: row.wake_run_id,
  kill_requested: row.kill_by !== null,
  started_at: row.started_at,
  ended_at: row.ended_at,
});

import type { Job } from "../contracts/job.ts";

export interface JobRow {
  readonly id: string;
  readonly kind: Job["kind"];
  readonly session_id: string;
  readonly profile: string;
  readonly input: string;
  readonly input_revision: number;
  readonly manual: number;
  readonly state: Job["state"];
  readonly reason: string | null;
  /** JSON. */
  readonly progress: string | null;
  /** JSON. */
  readonly result: string | null;
  readonly attempt: number;
  /** Attempts among them that a worker gave back when it stopped. */
  readonly handed_back: number;
  readonly worker: string | null;
  readonly created_at: number;
  readonly started_at: number | null;
  readonly ended_at: number | null;
}

export const jobFromRow = (row: JobRow): Job => ({
  id: row.id,
  kind: row.kind,
  session_id: row.session_id,
  profile: row.profile,
  state: row.state,
  reason: row.reason,
  progress: row.progress === null ? null : (JSON.parse(row.progress) as Job["progress"]),
  result: row.result === null ? null : (JSON.parse(row.result) as Job["result"]),
  attempt: row.attempt,
  input_revision: row.input_revision,
  created_at: row.created_at,
  started_at: row.started_at,
  ended_at: row.ended_at,
});

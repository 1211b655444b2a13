import type { Run, RunErrorCode, RunStatus, Usage } from "../contracts/run.ts";
import type { OutboxRow, RunRecord } from "./ledger.ts";

export interface RunRow {
  readonly id: string;
  readonly session_id: string;
  readonly turn: number;
  readonly profile: string;
  readonly model: string | null;
  readonly status: RunStatus;
  readonly source: Run["source"];
  readonly recovery: "resume" | "fail";
  readonly attempt: number;
  readonly strikes: number;
  readonly handed_back: number;
  readonly generation: number;
  readonly worker: string | null;
  readonly job_id: string | null;
  readonly cancel_requested_at: number | null;
  readonly created_at: number;
  readonly started_at: number | null;
  readonly ended_at: number | null;
  readonly error_code: RunErrorCode | null;
  readonly error_message: string | null;
  readonly error_hint: string | null;
  readonly error_detail: string | null;
  readonly terminal_state: "tool_limit_reached" | null;
  readonly usage: string | null;
  readonly config_revision: string | null;
  readonly released_at: number | null;
  readonly first_output_at: number | null;
  readonly traceparent: string | null;
  /** Computed: unfinished runs of the session before it. */
  readonly position: number;
}

/** Selects a `RunRow` of the table alias `r`; append a where clause. */
export const SELECT_RUN = `select r.*, case when r.status in ('queued', 'running', 'waiting', 'cancelling') then
    (select count(*) from runs o where o.session_id = r.session_id and o.turn < r.turn
       and o.status in ('queued', 'running', 'waiting', 'cancelling')) else 0 end as position
  from runs r`;

export const runFromRow = (row: RunRow): Run => ({
  id: row.id,
  session_id: row.session_id,
  profile: row.profile,
  model: row.model,
  status: row.status,
  source: row.source,
  attempt: row.attempt,
  position: row.position,
  recovery: row.recovery,
  created_at: row.created_at,
  started_at: row.started_at,
  ended_at: row.ended_at,
  error: row.error_code === null ? null : { code: row.error_code, message: row.error_message ?? "" },
  usage: row.usage === null ? null : (JSON.parse(row.usage) as Usage),
  config_revision: row.config_revision,
  last_event_id: null,
});

export const recordFromRow = (row: RunRow): RunRecord => ({
  run: runFromRow(row),
  turn: row.turn,
  generation: row.generation,
  jobId: row.job_id,
  cancelRequested: row.cancel_requested_at !== null,
  errorHint: row.error_hint,
  errorDetail: row.error_detail,
  terminalState: row.terminal_state,
  releasedAt: row.released_at,
  firstOutputAt: row.first_output_at,
  traceparent: row.traceparent,
});

export interface OutboxDbRow {
  readonly id: number;
  readonly kind: OutboxRow["kind"];
  readonly session_id: string;
  readonly run_id: string;
  readonly version: number;
  readonly tries: number;
}
export const outboxFromRow = (row: OutboxDbRow): OutboxRow => ({
  id: row.id,
  kind: row.kind,
  sessionId: row.session_id,
  runId: row.run_id,
  version: row.version,
  tries: row.tries,
});

/** SQL: no earlier run of the session of the run `r` is unfinished. */
export const FIRST_SQL = `not exists (select 1 from runs o where o.session_id = r.session_id and o.turn < r.turn
  and o.status in ('queued', 'running', 'waiting', 'cancelling'))`;

/** SQL: the run `r` could begin, and is kept back for its profile's limits. */
export const HELD_SQL = `r.status = 'queued' and r.released_at is null and ${FIRST_SQL}`;

import type Database from "better-sqlite3";
import type { Clock } from "../base/clock.ts";
import { TalariaError } from "../base/errors.ts";
import { isTerminal, type RunErrorCode } from "../contracts/run.ts";
import { PENDING, previewOf } from "../sessions/places.ts";
import {
  type MessageRow,
  messageColumns,
  messageFromRow,
  type SessionRow,
  sessionFromRow,
} from "../sessions/rows.ts";
import type { CancelResult, CommitResult, EndedTurn, NewMessage, OutboxRow, Outcome } from "./ledger.ts";
import type { OutboxOps } from "./outbox-ops.ts";
import type { ReleaseOps } from "./release-ops.ts";
import { type RunRow, recordFromRow, runFromRow, SELECT_RUN } from "./rows.ts";
import { createRunTimes } from "./times-ops.ts";

/** What decides whether a session gets a title now. */
export interface CompletedTurn {
  readonly sessionId: string;
  readonly outcome: Outcome;
  /** A generated title is made anew every so many turns; 0: never. */
  readonly refreshEvery: number;
}

/** A run whose end is being written. */
export interface EndedRun {
  readonly sessionId: string;
  readonly source: RunRow["source"];
  readonly configRevision: string | null;
  readonly errorCode: RunErrorCode | null;
  /** Nothing of the session is unfinished now. */
  readonly isLast: boolean;
}

/** Stop and commit: the two ways to a run's end, each one transaction (reliability 2, 7; C-13). */
export const createEndOps = (
  db: Database.Database,
  outbox: OutboxOps,
  { releaseFor }: Pick<ReleaseOps, "releaseFor">,
  /** A turn was completed: the session may get a title. */
  entitle: (turn: CompletedTurn) => OutboxRow[],
  /** A turn has ended: what waited for that. */
  afterTurn: (ended: EndedRun) => OutboxRow[],
  now: Clock,
) => {
  const run = db.prepare<[string], RunRow>(`${SELECT_RUN} where r.id = ?`);
  const session = db.prepare<[string], SessionRow>("select * from sessions where id = ?");
  const messages = db.prepare<[string, number], MessageRow>(
    "select * from messages where session_id = ? and turn = ? order by idx",
  );
  const insertMessage = db.prepare(
    `insert into messages (session_id, turn, idx, id, run_id, role, content, reasoning, tool_calls, tool_call_id,
       tool_name, is_error, status, origin, created_at, anchor)
     values (@session, @turn, @idx, @id, @run, @role, @content, @reasoning, @calls, @call, @tool, @error, @status,
       'talaria', @at, ${PENDING})`,
  );
  const endRun = db.prepare(
    `update runs set status = @status, ended_at = @at, usage = @usage, error_code = @code, error_message = @message,
       error_hint = @hint, error_detail = @detail, terminal_state = @terminal, worker = null,
       first_output_at = @output
     where id = @id`,
  );
  const unfinished = db.prepare<[string], { id: string; status: string }>(
    `select id, status from runs where session_id = ? and status in ('queued', 'running', 'waiting', 'cancelling')
     order by turn limit 1`,
  );
  const touch = db.prepare(
    `update sessions set message_count = message_count + @added, revision = revision + 1, active_run_id = @active,
       last_message_at = case when @added > 0 then @at else last_message_at end, updated_at = @at, activity_at = @at,
       last_role = coalesce(@role, last_role), last_preview = coalesce(@preview, last_preview)
     where id = @id`,
  );
  const dropSteps = db.prepare<[string]>("delete from steps where run_id = ?");
  const dropTools = db.prepare<[string]>("delete from tool_runs where run_id = ?");
  const markCancelling = db.prepare(
    `update runs set status = 'cancelling', cancel_requested_at = coalesce(cancel_requested_at, ?) where id = ?`,
  );

  const countTimes = createRunTimes(db);

  const end = (row: RunRow, outcome: Outcome, firstOutputAt: number | null = null): OutboxRow[] => {
    const at = now();
    // Of several attempts the first one that showed something counts.
    const output = row.first_output_at ?? firstOutputAt;
    countTimes(outcome.status, {
      createdAt: row.created_at,
      releasedAt: row.released_at,
      claimedAt: row.started_at,
      firstOutputAt: output,
      endedAt: at,
    });
    outcome.messages.forEach((message, index) => {
      insertMessage.run(messageValues(row, message, index + 1, at));
    });
    endRun.run({
      id: row.id,
      status: outcome.status,
      at,
      usage: outcome.usage === null ? null : JSON.stringify(outcome.usage),
      code: outcome.error?.code ?? null,
      message: outcome.error?.message ?? null,
      hint: outcome.error?.hint ?? null,
      detail: outcome.error?.detail ?? null,
      terminal: outcome.terminalState ?? null,
      output,
    });
    dropSteps.run(row.id);
    dropTools.run(row.id);
    const waiting = unfinished.get(row.session_id);
    const last = outcome.messages.at(-1);
    touch.run({
      ...{ id: row.session_id, added: outcome.messages.length, active: waiting?.id ?? null, at },
      role: last?.role ?? null,
      preview: last === undefined ? null : previewOf(last.content),
    });
    const rows = [
      outbox.putOutbox("sync", row.session_id, row.id),
      outbox.putOutbox("finish", row.session_id, row.id),
    ];
    // The session's next run, or another one of the profile that waited for room. One that is being executed needs no job: another
    // one would only take it away from its worker.
    const next = waiting?.status === "queued" ? { id: waiting.id, sessionId: row.session_id } : null;
    rows.push(...releaseFor(row.profile, next));
    if (outcome.titles !== undefined && outcome.status === "completed")
      rows.push(...entitle({ sessionId: row.session_id, outcome, ...outcome.titles }));
    rows.push(
      ...afterTurn({
        ...{ sessionId: row.session_id, source: row.source, configRevision: row.config_revision },
        ...{ errorCode: outcome.error?.code ?? null, isLast: waiting === undefined },
      }),
    );
    return rows;
  };

  const ended = (runId: string): EndedTurn => {
    const row = run.get(runId);
    const owner = row === undefined ? undefined : session.get(row.session_id);
    if (row === undefined || owner === undefined)
      throw new TalariaError("run_not_found", "there is no such run");
    return {
      record: recordFromRow(row),
      session: sessionFromRow(owner),
      messages: messages.all(row.session_id, row.turn).map(messageFromRow),
      minSeq: owner.journal_seq,
    };
  };

  return {
    /** Writes the turn and the run's end, guarded by the generation. `firstOutputAt`: when this attempt first showed something. */
    commitRun(
      runId: string,
      generation: number,
      outcome: Outcome,
      firstOutputAt: number | null = null,
    ): CommitResult {
      const row = run.get(runId);
      if (
        row === undefined ||
        row.generation !== generation ||
        isTerminal(row.status) ||
        row.status === "queued"
      ) {
        return { kind: "stale" };
      }
      if (row.status === "cancelling" && outcome.status !== "cancelled") return { kind: "cancelling" };
      const rows = end(row, outcome, firstOutputAt);
      return { kind: "committed", turn: ended(runId), outbox: rows };
    },

    /** Accepts a stop; the second one of a run changes nothing (C-10, C-14, C-15). */
    cancelRun(runId: string, beforeStart: NewMessage): CancelResult {
      const row = run.get(runId);
      if (row === undefined) throw new TalariaError("run_not_found", "there is no such run");
      if (isTerminal(row.status)) return { kind: "ended", run: runFromRow(row) };
      if (row.status === "queued" && row.attempt === 0) {
        const rows = end(row, { status: "cancelled", messages: [beforeStart], usage: null, error: null });
        return { kind: "settled", run: ended(runId).record.run, outbox: rows };
      }
      const held = row.status !== "queued";
      markCancelling.run(now(), runId);
      const after = runFromRow(run.get(runId) ?? row);
      return { kind: held ? "cancelling" : "take_over", run: after };
    },
  };
};

const messageValues = (row: RunRow, message: NewMessage, idx: number, at: number) => ({
  session: row.session_id,
  turn: row.turn,
  idx,
  // Derived from the run, so that a commit that is repeated names the same rows.
  id: `${row.id}-${idx}`,
  run: row.id,
  ...messageColumns(message),
  ...(message.reasoning === "" ? { reasoning: null } : {}),
  // Rows of one batch are a microsecond apart, as state.db has them.
  at: at + idx / 1e6,
});

export type EndOps = ReturnType<typeof createEndOps>;

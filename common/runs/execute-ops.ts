import type Database from "better-sqlite3";
import type { Clock } from "../base/clock.ts";
import { TalariaError } from "../base/errors.ts";
import type { ToolCall } from "../contracts/message.ts";
import { isTerminal } from "../contracts/run.ts";
import { type SessionRow, sessionFromRow } from "../sessions/rows.ts";
import type { ClaimResult, OutboxRow, StepUsageRecord } from "./ledger.ts";
import type { OutboxOps } from "./outbox-ops.ts";
import { type RunRow, recordFromRow, SELECT_RUN } from "./rows.ts";

/**
 * Claim, evidence and hand-over of an execution. Every write names the generation its claim got; once a newer claim
 * exists it changes nothing and throws `stale_generation` (reliability 4; C-5).
 */
export const createExecuteOps = (db: Database.Database, outbox: OutboxOps, now: Clock) => {
  const run = db.prepare<[string], RunRow>(`${SELECT_RUN} where r.id = ?`);
  const session = db.prepare<[string], SessionRow>("select * from sessions where id = ?");
  const pendingFinish = db.prepare<[string, string], { run_id: string }>(
    "select run_id from outbox where session_id = ? and kind = 'finish' and run_id <> ? order by id limit 1",
  );
  const endOwed = db.prepare<[string]>("select 1 from outbox where run_id = ? and kind = 'finish'");
  const raise = db.prepare<[string], { generation: number }>(
    "update sessions set generation = generation + 1 where id = ? returning generation",
  );
  const claim = db.prepare(
    `update runs set status = case when status = 'cancelling' then status else 'running' end, attempt = attempt + 1,
       strikes = strikes + 1 - handed_back, handed_back = 0, generation = @generation, worker = @worker, job_id = @job,
       started_at = coalesce(started_at, @at)
     where id = @id`,
  );
  const owned = db.prepare<[string, number], { status: string }>(
    "select status from runs where id = ? and generation = ? and status in ('running', 'waiting', 'cancelling')",
  );
  const progress = db.prepare<[string]>("update runs set strikes = 0 where id = ?");
  const stepProgress = db.prepare<[number | null, string]>(
    "update runs set strikes = 0, first_output_at = coalesce(first_output_at, ?) where id = ?",
  );
  const putStep = db.prepare(
    "insert or ignore into steps (run_id, step, text, reasoning, tool_calls, usage) values (?, ?, ?, ?, ?, ?)",
  );
  const putTool = db.prepare(
    `insert into tool_runs (run_id, step, call_id, name, state) values (?, ?, ?, ?, 'started')
     on conflict (run_id, step, call_id) do nothing`,
  );
  const endTool = db.prepare(
    `insert into tool_runs (run_id, step, call_id, name, state, result, is_error, duration_s)
     values (@run, @step, @call, @name, @state, @result, @error, @duration)
     on conflict (run_id, step, call_id) do update set state = excluded.state, result = excluded.result,
       is_error = excluded.is_error, duration_s = excluded.duration_s`,
  );
  const handBack = db.prepare<[number | null, string, number]>(
    `update runs set status = 'queued', handed_back = 1, worker = null, first_output_at = coalesce(first_output_at, ?)
     where id = ? and generation = ? and status in ('running', 'waiting')`,
  );
  const takeBack = db.prepare<[string, number]>(
    `update runs set status = 'queued', worker = null
     where id = ? and generation = ? and status in ('running', 'waiting')`,
  );

  const keepContext = db.prepare<[number, string]>(
    "update runs set context_row_id = coalesce(context_row_id, ?) where id = ?",
  );

  const keepRevision = db.prepare<[string | null, string]>(
    "update runs set config_revision = ? where id = ?",
  );

  const requireOwned = (runId: string, generation: number): void => {
    if (owned.get(runId, generation) === undefined) {
      throw new TalariaError("stale_generation", "another attempt owns the run");
    }
  };
  const takeOver = (row: RunRow, worker: string, jobId: string | null): number => {
    const generation = raise.get(row.session_id)?.generation;
    if (generation === undefined) throw new TalariaError("session_not_found", "there is no such session");
    claim.run({ id: row.id, generation, worker, job: jobId ?? row.job_id, at: now() });
    return generation;
  };

  return {
    /**
     * A generation for the end of a run whose log was lost in part, while no later run of the session can be in the log: that one would
     * be fenced. Null: the end has been told, so one may be.
     */
    raiseForEnd(sessionId: string, runId: string): number | null {
      if (endOwed.get(runId) === undefined) return null;
      return raise.get(sessionId)?.generation ?? null;
    },

    /** Attempt n+1 and a new generation for `worker`; `exhausted` when `maxAttempts` executions in a row got nowhere. */
    claimRun(
      runId: string,
      worker: string,
      jobId: string | null,
      maxAttempts: number,
      profile?: string,
    ): ClaimResult {
      const row = run.get(runId);
      if (row === undefined) return { kind: "gone" };
      if (profile !== undefined && row.profile !== profile) return { kind: "foreign" };
      if (isTerminal(row.status)) return { kind: "ended" };
      if (row.position > 0) return { kind: "not_first" };
      const unfinished = pendingFinish.get(row.session_id, runId);
      if (unfinished !== undefined) return { kind: "finish_first", runId: unfinished.run_id };
      takeOver(row, worker, jobId);
      const claimed = run.get(runId);
      const owner = session.get(row.session_id);
      if (claimed === undefined || owner === undefined) return { kind: "gone" };
      return {
        kind: "claimed",
        record: recordFromRow(claimed),
        session: sessionFromRow(owner),
        minSeq: owner.journal_seq,
        exhausted: claimed.strikes > maxAttempts,
      };
    },

    /**
     * The model call of a step is over and wants tools: recorded before any of them starts. `firstOutputAt`: when this attempt first
     * showed something.
     */
    recordStep(
      runId: string,
      generation: number,
      step: {
        step: number;
        text: string;
        reasoning: string;
        toolCalls: readonly ToolCall[];
        usage: StepUsageRecord;
      },
      firstOutputAt: number | null = null,
    ): void {
      requireOwned(runId, generation);
      const calls = JSON.stringify(step.toolCalls);
      putStep.run(runId, step.step, step.text, step.reasoning, calls, JSON.stringify(step.usage));
      stepProgress.run(firstOutputAt, runId);
    },

    /** A tool is about to run. Refused once a stop was accepted, so that nothing starts after it. */
    recordToolStart(
      runId: string,
      generation: number,
      step: number,
      callId: string,
      name: string,
    ): "recorded" | "cancelling" {
      const state = owned.get(runId, generation);
      if (state === undefined) throw new TalariaError("stale_generation", "another attempt owns the run");
      if (state.status === "cancelling") return "cancelling";
      putTool.run(runId, step, callId, name);
      return "recorded";
    },

    recordToolEnd(
      runId: string,
      generation: number,
      tool: {
        step: number;
        callId: string;
        name: string;
        outcome: "done" | "unknown";
        result: string;
        isError: boolean;
        durationS: number;
      },
    ): void {
      requireOwned(runId, generation);
      endTool.run({
        run: runId,
        step: tool.step,
        call: tool.callId,
        name: tool.name,
        state: tool.outcome,
        result: tool.result,
        error: Number(tool.isError),
        duration: tool.durationS,
      });
      progress.run(runId);
    },

    /** The first attempt that read the conversation says how far; later ones read no further. */
    keepContextRow: (runId: string, rowId: number): void => {
      keepContext.run(rowId, runId);
    },

    /** The profile was changed after the run had been accepted: what this attempt runs with is what it has now (P-19). */
    keepConfigRevision(runId: string, generation: number, revision: string | null): void {
      requireOwned(runId, generation);
      keepRevision.run(revision, runId);
    },

    /** Gives the run back to the queue in a graceful stop: does not count against its attempts (reliability 12). */
    handBack(
      runId: string,
      generation: number,
      firstOutputAt: number | null = null,
    ): { outbox: OutboxRow[] } {
      if (handBack.run(firstOutputAt, runId, generation).changes === 0) {
        throw new TalariaError("stale_generation", "another attempt owns the run");
      }
      const row = run.get(runId);
      return { outbox: row === undefined ? [] : [outbox.putOutbox("dispatch", row.session_id, runId, 0)] };
    },

    /**
     * A run whose worker is gone waits for the next one, and says so; with `dispatch` it gets a job for it. Nothing happens where another
     * attempt has it by now. Unlike a graceful hand-over it counts as a crash.
     */
    takeBack(runId: string, generation: number, dispatch: boolean): OutboxRow[] {
      const row = run.get(runId);
      if (row === undefined || takeBack.run(runId, generation).changes === 0) return [];
      return dispatch ? [outbox.putOutbox("dispatch", row.session_id, runId)] : [];
    },

    /** Asks for the run's job to be put into the queue again (its job was lost). */
    redispatch(runIds: readonly string[]): OutboxRow[] {
      return runIds.flatMap((id) => {
        const row = run.get(id);
        return row === undefined || isTerminal(row.status)
          ? []
          : [outbox.putOutbox("dispatch", row.session_id, id)];
      });
    },
  };
};

export type ExecuteOps = ReturnType<typeof createExecuteOps>;

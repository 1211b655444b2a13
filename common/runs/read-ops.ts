import type Database from "better-sqlite3";
import { TalariaError } from "../base/errors.ts";
import type { ListRunsQuery, Page } from "../contracts/http.ts";
import type { Message, ToolCall } from "../contracts/message.ts";
import type { RunCount } from "../contracts/ops.ts";
import type { Run } from "../contracts/run.ts";
import { newestWrittenRow } from "../sessions/place-ops.ts";
import { type MessageRow, messageFromRow, type SessionRow, sessionFromRow } from "../sessions/rows.ts";
import { decodePageCursor, pageOf } from "../sqlite/page-cursor.ts";
import { IDEMPOTENCY_KEEP_S } from "./accept-ops.ts";
import type { EndedTurn, Evidence, RunRecord, StepUsageRecord, WaitingRuns } from "./ledger.ts";
import { FIRST_SQL, HELD_SQL, type RunRow, recordFromRow, runFromRow, SELECT_RUN } from "./rows.ts";

export interface EndedRun {
  readonly id: string;
  readonly session_id: string;
  readonly ended_at: number;
  readonly unarchived: number;
}

/** Reads of the run ledger. */
export const createRunReadOps = (db: Database.Database) => {
  const byId = db.prepare<[string], RunRow>(`${SELECT_RUN} where r.id = ?`);
  const session = db.prepare<[string], SessionRow>("select * from sessions where id = ?");
  const unfinished = db.prepare<[string], RunRow>(
    `${SELECT_RUN} where r.session_id = ? and r.status in ('queued', 'running', 'waiting', 'cancelling') order by r.turn`,
  );
  const upTo = db.prepare<[string, number], MessageRow>(
    "select * from messages where session_id = ? and turn <= ? order by turn, idx",
  );
  const beside = db.prepare<[string, number, number], MessageRow>(
    `select * from messages where session_id = ? and turn < ? and role <> 'notice'
       and (anchor is not null or row_id > ?) order by turn, idx`,
  );
  const contextRow = db
    .prepare<[string], number | null>("select context_row_id from runs where id = ?")
    .pluck();
  // One whose time is over is removed a while later; until then it is no answer any more.
  const keyed = db.prepare<[string, string], { body_hash: string; run_id: string }>(
    `select body_hash, run_id from idempotency_keys
     where session_id = ? and key = ? and created_at > unixepoch() - ${IDEMPOTENCY_KEEP_S}`,
  );
  const turnOf = db.prepare<[string, number], MessageRow>(
    "select * from messages where session_id = ? and turn = ? order by idx",
  );
  const unsyncedBefore = db.prepare<[string, number], { id: string }>(
    `select r.id from runs r where r.session_id = ? and r.turn < ?
       and (r.ended_at is null or exists (select 1 from outbox b where b.run_id = r.id and b.kind = 'sync'))
     limit 1`,
  );
  const newestWritten = newestWrittenRow(db);
  const uncopied = db.prepare<[string]>("select 1 from outbox where run_id = ? and kind = 'copy'");
  const messageById = db.prepare<[string], MessageRow>("select * from messages where id = ?");
  const steps = db.prepare<
    [string],
    { step: number; text: string; reasoning: string; tool_calls: string; usage: string }
  >("select step, text, reasoning, tool_calls, usage from steps where run_id = ? order by step");
  const tools = db.prepare<
    [string],
    {
      step: number;
      call_id: string;
      name: string;
      state: "started" | "done" | "unknown";
      result: string | null;
      is_error: number | null;
      duration_s: number | null;
    }
  >("select * from tool_runs where run_id = ? order by step, call_id");
  const inFront = db.prepare<[number, number], RunRow>(
    `${SELECT_RUN} indexed by runs_unfinished where r.status in ('queued', 'running', 'waiting', 'cancelling') and r.released_at is not null
       and coalesce(r.started_at, r.released_at) < ?
       and not exists (select 1 from outbox b where b.run_id = r.id and b.kind = 'dispatch') and ${FIRST_SQL}
     order by r.created_at limit ?`,
  );
  const overdue = db.prepare<[number], { id: string }>(
    "select id from runs where status = 'cancelling' and cancel_requested_at < ?",
  );
  const ended = db.prepare<[number, string, number], EndedRun>(
    `select r.id, r.session_id, r.ended_at,
       not exists (select 1 from journal_archives a where a.run_id = r.id)
         and not exists (select 1 from outbox b where b.run_id = r.id and b.kind = 'finish') as unarchived
     from runs r where (r.ended_at, r.id) > (?, ?) order by r.ended_at, r.id limit ?`,
  );
  const claimed = db.prepare<[string, number], RunRow>(
    `${SELECT_RUN} indexed by runs_unfinished where r.status in ('queued', 'running', 'waiting', 'cancelling')
       and r.status in ('running', 'waiting') and r.worker not in (select value from json_each(?)) limit ?`,
  );
  const waiting = db.prepare<[], WaitingRuns>(
    `select profile, count(*) as n, min(released_at) as since from runs
     where status = 'queued' and released_at is not null group by profile`,
  );
  const held = db.prepare<[], WaitingRuns>(
    `select r.profile, count(*) as n, min(r.created_at) as since from runs r where ${HELD_SQL}
     group by r.profile`,
  );
  const counts = db.prepare<[], RunCount>(
    `select status, count(*) as n, min(created_at) as oldest from runs
     where status in ('queued', 'running', 'waiting', 'cancelling') group by status`,
  );

  const require = (id: string): RunRow => {
    const row = byId.get(id);
    if (row === undefined) throw new TalariaError("run_not_found", "there is no such run");
    return row;
  };

  return {
    getRun: (id: string): Run => runFromRow(require(id)),

    listRuns(query: ListRunsQuery): Page<Run> {
      const where: string[] = [];
      const values: (string | number)[] = [];
      const add = (sql: string, ...given: (string | number)[]): void => {
        where.push(sql);
        values.push(...given);
      };
      if (query.session_id !== undefined) add("r.session_id = ?", query.session_id);
      if (query.status !== undefined) add("r.status = ?", query.status);
      if (query.profile !== undefined) add("r.profile = ?", query.profile);
      if (query.cursor !== undefined) {
        const [at, id] = decodePageCursor(query.cursor, ["number", "string"]);
        add("(r.created_at, r.id) < (?, ?)", at ?? 0, id ?? "");
      }
      const sql = `${SELECT_RUN} ${where.length > 0 ? `where ${where.join(" and ")}` : ""}
        order by r.created_at desc, r.id desc limit ?`;
      const rows = db.prepare<(string | number)[], RunRow>(sql).all(...values, query.limit + 1);
      return pageOf(rows, query.limit, (last) => [last.created_at, last.id], runFromRow);
    },

    /** The run that a request with this key started before; null: none. Throws `idempotency_mismatch` for another body. */
    replayOf(sessionId: string, key: string, bodyHash: string): Run | null {
      const earlier = keyed.get(sessionId, key);
      if (earlier === undefined) return null;
      if (earlier.body_hash !== bodyHash)
        throw new TalariaError("idempotency_mismatch", "this Idempotency-Key was used with another body");
      const row = byId.get(earlier.run_id);
      return row === undefined ? null : runFromRow(row);
    },
    unfinishedRuns: (sessionId: string): Run[] => unfinished.all(sessionId).map(runFromRow),
    findRecord(runId: string): RunRecord | null {
      const row = byId.get(runId);
      return row === undefined ? null : recordFromRow(row);
    },

    /** Messages of the session up to and including the run's own user message, in transcript order. */
    transcriptFor(runId: string): Message[] {
      const row = require(runId);
      return upTo
        .all(row.session_id, row.turn)
        .filter((message) => message.turn < row.turn || message.idx === 0)
        .map(messageFromRow);
    },

    /** Messages of earlier turns that the store's rows up to `until` do not tell: in no state.db, or since then. */
    contextMessages: (sessionId: string, turn: number, until: number): MessageRow[] =>
      beside.all(sessionId, turn, until),
    /** The highest row id that the run's context includes; null: no attempt has read it. */
    contextRow: (runId: string): number | null => contextRow.get(runId) ?? null,
    ownPrompt(runId: string): Message[] {
      const row = messageById.get(`${runId}-0`);
      return row === undefined ? [] : [messageFromRow(row)];
    },

    /** What `run_queued` tells; null when the run is gone or has ended. */
    announcement(runId: string): { record: RunRecord; message: Message; minSeq: number } | null {
      const row = byId.get(runId);
      const message = messageById.get(`${runId}-0`);
      const owner = row === undefined ? undefined : session.get(row.session_id);
      if (row === undefined || message === undefined || owner === undefined || row.ended_at !== null)
        return null;
      return { record: recordFromRow(row), message: messageFromRow(message), minSeq: owner.journal_seq };
    },

    /**
     * Whether the run's turn may be brought into state.db now, where the order of writing is the order (a.3), and the highest row id that
     * earlier messages got there: both of one moment, since the file may be found to be another one at any time.
     */
    placeInStore: db.transaction((runId: string): { isNext: boolean; newestOwnRow: number } => {
      const row = byId.get(runId);
      if (row === undefined) return { isNext: true, newestOwnRow: 0 };
      const isNext =
        unsyncedBefore.get(row.session_id, row.turn) === undefined &&
        uncopied.get(row.session_id) === undefined;
      return { isNext, newestOwnRow: newestWritten.get(row.session_id) ?? 0 };
    }),

    /** An ended run with its turn; null when it is gone or has not ended. */
    endedTurn(runId: string): EndedTurn | null {
      const row = byId.get(runId);
      const owner = row === undefined ? undefined : session.get(row.session_id);
      if (row === undefined || owner === undefined || row.ended_at === null) return null;
      return {
        record: recordFromRow(row),
        session: sessionFromRow(owner),
        messages: turnOf.all(row.session_id, row.turn).map(messageFromRow),
        minSeq: owner.journal_seq,
      };
    },

    evidence(runId: string): Evidence {
      return {
        steps: steps.all(runId).map((s) => ({
          step: s.step,
          text: s.text,
          reasoning: s.reasoning,
          toolCalls: JSON.parse(s.tool_calls) as ToolCall[],
          usage: JSON.parse(s.usage) as StepUsageRecord,
        })),
        tools: tools.all(runId).map((t) => ({
          step: t.step,
          callId: t.call_id,
          name: t.name,
          state: t.state,
          result: t.result,
          isError: t.is_error === 1,
          durationS: t.duration_s,
        })),
      };
    },

    /** Which of these runs have been asked to stop, or are gone. */
    stopRequested: (runIds: readonly string[]): string[] =>
      runIds.filter((id) => {
        const row = byId.get(id);
        return row === undefined || row.cancel_requested_at !== null;
      }),

    /** Unfinished runs in front of their sessions that should have a live job, oldest first. */
    expectingJobs: (olderThanS: number, limit: number): RunRecord[] =>
      inFront.all(olderThanS, limit).map(recordFromRow),
    /** Runs whose stop was asked for before this time and that have not ended. */
    overdueCancels: (beforeS: number): string[] => overdue.all(beforeS).map((row) => row.id),
    /** Runs that ended behind this place, the oldest first, and which of them have no archive although their end is told. */
    endedRuns: (afterS: number, afterId: string, limit: number): EndedRun[] =>
      ended.all(afterS, afterId, limit),
    /** Runs in progress that none of these workers has. */
    runsOfOthers: (workers: readonly string[], limit: number): RunRecord[] =>
      claimed.all(JSON.stringify(workers), limit).map(recordFromRow),
    /** What waits for a worker, and what is kept back for its profile's limits, by profile. */
    runsToBegin: (): { waiting: WaitingRuns[]; held: WaitingRuns[] } => ({
      waiting: waiting.all(),
      held: held.all(),
    }),
    runCounts: (): RunCount[] => counts.all(),
  };
};

export type RunReadOps = ReturnType<typeof createRunReadOps>;

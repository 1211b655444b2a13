import type Database from "better-sqlite3";
import type { Clock } from "../base/clock.ts";
import { TalariaError } from "../base/errors.ts";
import { type ContextVersion, KEY_CHARS } from "../compression/context-version.ts";
import type { ContextInfo } from "../contracts/context.ts";
import type { Page } from "../contracts/http.ts";
import type { OutboxRow } from "../runs/ledger.ts";
import type { SessionRow } from "../sessions/rows.ts";
import { decodePageCursor, pageOf } from "../sqlite/page-cursor.ts";
import type { JobLedger, MadeJob } from "./ledger.ts";
import { type JobRow, jobFromRow } from "./rows.ts";

/** A version that is about to be made. */
export interface NewContext extends Omit<ContextVersion, "version"> {
  readonly borderId: string | null;
  readonly focus: string | null;
  readonly tokensBefore: number;
  readonly tokensAfter: number;
}

/** What a compression was worked out from: it is applied only while the session is there (B-20). */
export interface ContextMark {
  readonly contextRevision: number;
  /** Raised by every message that is accepted. */
  readonly nextTurn: number;
}

interface ContextRow {
  readonly session_id: string;
  readonly version: number;
  readonly job_id: string | null;
  readonly run_id: string | null;
  readonly summary: string;
  readonly covered: string;
  readonly covered_count: number;
  readonly border_id: string | null;
  readonly focus: string | null;
  readonly result_budget: number;
  readonly tokens_before: number;
  readonly tokens_after: number;
  readonly created_at: number;
}

/** Compressions of sessions' model contexts (background-jobs 2); run inside the store's threads. */
export const createContextOps = (db: Database.Database, jobs: JobLedger, now: Clock) => {
  const session = db.prepare<[string], SessionRow>("select * from sessions where id = ?");
  const busy = db
    .prepare<[string], string>(
      `select id from runs where session_id = ? and status in ('queued', 'running', 'waiting', 'cancelling')
       order by turn limit 1`,
    )
    .pluck();
  const open = db.prepare<[string], JobRow>(
    "select * from jobs where session_id = ? and kind = 'compression' and ended_at is null limit 1",
  );
  const owned = db.prepare<[string, number]>(
    "select 1 from runs where id = ? and generation = ? and status in ('running', 'waiting', 'cancelling')",
  );
  const raise = db
    .prepare<[string, number], number>(
      // Nobody was active: neither times nor order nor unread marks change (B-5).
      `update sessions set context_revision = context_revision + 1 where id = ? and context_revision = ?
       returning context_revision`,
    )
    .pluck();
  const insert = db.prepare(
    `insert into contexts (session_id, version, job_id, run_id, summary, covered, covered_count, border_id, focus,
       result_budget, tokens_before, tokens_after, created_at)
     values (@session, @version, @job, @run, @summary, @covered, @count, @border, @focus, @budget, @before, @after, @at)`,
  );
  /** The version that it became; null: the session's context is another one by now. */
  const put = (
    sessionId: string,
    revision: number,
    by: { readonly job: string | null; readonly run: string | null },
    context: NewContext,
  ): number | null => {
    const version = raise.get(sessionId, revision);
    if (version === undefined) return null;
    const { summary, covered, borderId, focus, resultBudget, tokensBefore, tokensAfter } = context;
    insert.run({
      ...{ session: sessionId, version, ...by, summary, focus, at: now() },
      ...{ covered: covered.join(""), count: covered.length, border: borderId, budget: resultBudget },
      ...{ before: tokensBefore, after: tokensAfter },
    });
    return version;
  };

  return {
    /**
     * A person asks for a compression. One that is under way is found as it is (B-19); null: the session is gone. Throws
     * `session_busy` while the session has an unfinished run.
     */
    startCompression(sessionId: string, focus: string | null): MadeJob | null {
      const owner = session.get(sessionId);
      if (owner === undefined) return null;
      const active = busy.get(sessionId);
      if (active !== undefined)
        throw new TalariaError("session_busy", "the session has an active run", {
          details: { active_run_id: active },
        });
      const underway = open.get(sessionId);
      if (underway !== undefined) return { job: jobFromRow(underway), outbox: [] };
      return jobs.put({
        ...{ kind: "compression", sessionId, about: String(owner.context_revision) },
        ...{ input: JSON.stringify({ focus }), manual: true },
      });
    },

    /**
     * The context of a job that is still this attempt's, once, and only while the session is where the job began: no cut, no other
     * compression, no message, no unfinished run. Ends the job, also where it comes too late (B-20).
     */
    applyContext(id: string, attempt: number, mark: ContextMark, context: NewContext): OutboxRow[] {
      const row = jobs.mine(id, attempt);
      if (row === null) return [];
      const owner = session.get(row.session_id);
      const moved =
        owner === undefined || owner.next_turn !== mark.nextTurn || busy.get(row.session_id) !== undefined;
      const version = moved
        ? null
        : put(row.session_id, mark.contextRevision, { job: id, run: null }, context);
      if (version === null) return jobs.finish(row, { state: "cancelled", reason: "context_changed" });
      const { tokensBefore, tokensAfter } = context;
      return jobs.finish(row, {
        ...{ state: "done", reason: null },
        result: {
          ...{ version, tokens_before: tokensBefore, tokens_after: tokensAfter },
          ...{ covered_count: context.covered.length, border_message_id: context.borderId },
        },
      });
    },

    /**
     * What a run compressed in its course; null: the session's context is another one by now. Throws `stale_generation` when another
     * attempt owns the run.
     */
    applyRunContext(
      run: { readonly id: string; readonly sessionId: string; readonly generation: number },
      contextRevision: number,
      context: NewContext,
    ): number | null {
      if (owned.get(run.id, run.generation) === undefined)
        throw new TalariaError("stale_generation", "another attempt owns the run");
      return put(run.sessionId, contextRevision, { job: null, run: run.id }, context);
    },
  };
};

/** Versions that are looked at for one that still holds: older ones tell of more than anybody takes back. */
const MAX_LOOKED_AT = 20;

export const createContextReadOps = (db: Database.Database) => {
  const newest = db.prepare<[string, number], ContextRow>(
    "select * from contexts where session_id = ? order by version desc limit ?",
  );
  const page = db.prepare<[string, number, number], ContextRow>(
    "select * from contexts where session_id = ? and version < ? order by version desc limit ?",
  );
  const one = db.prepare<[string, number], ContextRow>(
    "select * from contexts where session_id = ? and version = ?",
  );
  const ofRun = db.prepare<[string], ContextRow>("select * from contexts where run_id = ? order by version");
  return {
    /** The newest first; at most so many. */
    contextVersions: (sessionId: string, limit = MAX_LOOKED_AT): ContextVersion[] =>
      newest.all(sessionId, limit).map(versionOf),
    contextVersion(
      sessionId: string,
      version: number,
    ): { info: ContextInfo; context: ContextVersion } | null {
      const row = one.get(sessionId, version);
      return row === undefined ? null : { info: infoOf(row), context: versionOf(row) };
    },
    /** What a run has compressed so far, the oldest first. */
    contextsOfRun: (runId: string): ContextInfo[] => ofRun.all(runId).map(infoOf),
    listContexts(
      sessionId: string,
      { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
    ): Page<ContextInfo> {
      const [before] =
        cursor === undefined ? [Number.MAX_SAFE_INTEGER] : decodePageCursor(cursor, ["number"]);
      const rows = page.all(sessionId, Number(before), limit + 1);
      return pageOf(rows, limit, ({ version }) => [version], infoOf);
    },
  };
};

const versionOf = (row: ContextRow): ContextVersion => ({
  version: row.version,
  summary: row.summary,
  covered: Array.from({ length: row.covered_count }, (_, n) =>
    row.covered.slice(n * KEY_CHARS, (n + 1) * KEY_CHARS),
  ),
  resultBudget: row.result_budget,
});

const infoOf = (row: ContextRow): ContextInfo => ({
  version: row.version,
  made_by: row.run_id === null ? "person" : "run",
  run_id: row.run_id,
  focus: row.focus,
  covered_count: row.covered_count,
  border_message_id: row.border_id,
  tokens_before: row.tokens_before,
  tokens_after: row.tokens_after,
  created_at: row.created_at,
});

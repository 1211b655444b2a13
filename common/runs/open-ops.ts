import type Database from "better-sqlite3";
import type { Page } from "../contracts/http.ts";
import type { OpsRun, OpsRunsQuery } from "../contracts/ops.ts";
import { decodePageCursor, pageOf } from "../sqlite/page-cursor.ts";

/** An unfinished run as operators see it, before its age whether it is held and its job are worked out. */
export type OpenRun = Omit<OpsRun, "age_s" | "held" | "job"> & {
  readonly released_at: number | null;
  /** The job that claimed it last. */
  readonly job_id: string | null;
};

/** Reads of what has not ended. */
export const createOpenRunOps = (db: Database.Database) => ({
  /** Unfinished runs, the oldest first: where something is stuck, it is at the top. */
  openRuns({ limit, cursor, status, profile }: OpsRunsQuery): Page<OpenRun> {
    const where: string[] = [];
    const values: (string | number)[] = [];
    if (status !== undefined) {
      where.push("status = ?");
      values.push(status);
    }
    if (profile !== undefined) {
      where.push("profile = ?");
      values.push(profile);
    }
    if (cursor !== undefined) {
      where.push("(created_at, id) > (?, ?)");
      values.push(...decodePageCursor(cursor, ["number", "string"]));
    }
    // By age alone SQLite would walk over every run that ever ended.
    const rows = db
      .prepare<(string | number)[], OpenRun>(
        `select id, session_id, profile, status, attempt, worker, created_at, started_at, released_at, job_id
         from runs indexed by runs_unfinished
         where ${["status in ('queued', 'running', 'waiting', 'cancelling')", ...where].join(" and ")}
         order by created_at, id limit ?`,
      )
      .all(...values, limit + 1);
    return pageOf(
      rows,
      limit,
      (last) => [last.created_at, last.id],
      (run) => run,
    );
  },
});

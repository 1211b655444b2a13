import type Database from "better-sqlite3";
import type { Page } from "../contracts/http.ts";
import type { DeadLetter, DeadLettersQuery } from "../contracts/ops.ts";
import { decodeTimeCursor, pageOf } from "../sqlite/page-cursor.ts";

/** How long a run that nobody asked for again stays in the list, in seconds. */
const KEEP_S = 7 * 24 * 3600;
/** More are not counted. */
const COUNTED = 1_000;

/**
 * Dead: it ended for a reason that was not its message's, and its session has not gone on since. One that was taken back, answered
 * by a later message or asked for again is none. The codes are those of the index.
 */
const DEAD_SQL = `from runs r indexed by runs_dead
  where r.error_code in ('worker_crashed', 'interrupted', 'profile_unavailable', 'provider_unavailable', 'error')
    and r.status in ('failed', 'interrupted')
    and not exists (select 1 from runs o where o.session_id = r.session_id and o.turn > r.turn)
    and exists (select 1 from messages m where m.id = r.id || '-0')`;

/** Reads of runs that failed and may be asked for again. */
export const createDeadRunOps = (db: Database.Database, now: () => number = () => Date.now() / 1000) => {
  const page = db.prepare<[number, number, string, number], DeadLetter>(
    `select r.id, r.session_id, r.profile, r.status, r.error_code as code, r.attempt, r.created_at, r.ended_at
     ${DEAD_SQL} and r.ended_at > ? and (r.ended_at, r.id) < (?, ?)
     order by r.ended_at desc, r.id desc limit ?`,
  );
  const count = db
    .prepare<[number, number], number>(
      `select count(*) from (select 1 ${DEAD_SQL} and r.ended_at > ? limit ?)`,
    )
    .pluck();
  return {
    /** The newest first. */
    deadRuns({ limit, cursor }: DeadLettersQuery): Page<DeadLetter> {
      const rows = page.all(now() - KEEP_S, ...decodeTimeCursor(cursor, Number.MAX_VALUE), limit + 1);
      return pageOf(
        rows,
        limit,
        (last) => [last.ended_at, last.id],
        (letter) => letter,
      );
    },
    /** At most 1,000. */
    deadRunCount: (): number => count.get(now() - KEEP_S, COUNTED) ?? 0,
  };
};

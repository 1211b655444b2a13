import type Database from "better-sqlite3";
import type { ArchivedRun } from "../journal/port.ts";

interface Row {
  readonly run_id: string;
  readonly session_id: string;
  readonly first_seq: number;
  readonly last_seq: number;
  readonly last_run_seq: number;
  readonly last_attempt: number;
  readonly last_generation: number;
  readonly entry_count: number;
  readonly archived_at_ms: number;
  readonly data: Uint8Array;
}

const fromRow = (row: Row): ArchivedRun => ({
  runId: row.run_id,
  sessionId: row.session_id,
  firstSeq: row.first_seq,
  lastSeq: row.last_seq,
  lastRunSeq: row.last_run_seq,
  lastAttempt: row.last_attempt,
  lastGeneration: row.last_generation,
  entryCount: row.entry_count,
  archivedAtMs: row.archived_at_ms,
  data: row.data,
});

/** Archived journals; the promises are those of `ArchiveStore`. */
export const createArchiveWriteOps = (db: Database.Database) => {
  const put = db.prepare(
    `insert or ignore into journal_archives (run_id, session_id, first_seq, last_seq, last_run_seq, last_attempt,
       last_generation, entry_count, archived_at_ms, data)
     select @runId, @sessionId, @firstSeq, @lastSeq, @lastRunSeq, @lastAttempt, @lastGeneration, @entryCount,
       @archivedAtMs, @data where exists (select 1 from runs where id = @runId)`,
  );
  return {
    putArchive: (run: ArchivedRun): void => {
      put.run(run);
    },
  };
};

export const createArchiveReadOps = (db: Database.Database) => {
  const get = db.prepare<[string], Row>("select * from journal_archives where run_id = ?");
  const after = db.prepare<[string, number, number], Row>(
    "select * from journal_archives where session_id = ? and last_seq > ? order by last_seq limit ?",
  );
  return {
    getArchive(runId: string): ArchivedRun | null {
      const row = get.get(runId);
      return row === undefined ? null : fromRow(row);
    },
    archivesAfter: (sessionId: string, seq: number, limit: number): ArchivedRun[] =>
      after.all(sessionId, seq, limit).map(fromRow),
  };
};

import type Database from "better-sqlite3";
import type { Clock } from "../base/clock.ts";
import type { OutboxRow } from "./ledger.ts";
import { type OutboxDbRow, outboxFromRow } from "./rows.ts";

/** How long the process that wrote or took a row has for it before another one tries, in seconds. */
export const OUTBOX_LEASE_S = 3;

/** The outbox: rows are written in the transaction that decides something, and removed when it has been told. */
export const createOutboxOps = (db: Database.Database, now: Clock) => {
  const put = db.prepare<[OutboxRow["kind"], string, string, number], OutboxDbRow>(
    `insert into outbox (kind, session_id, run_id, due_at) values (?, ?, ?, ?)
     on conflict (run_id, kind) do update set due_at = excluded.due_at, version = version + 1 returning *`,
  );
  const take = db.prepare<[number, number, number], OutboxDbRow>(
    `update outbox set due_at = ?, tries = tries + 1, version = version + 1
     where id in (select id from outbox where due_at <= ? order by id limit ?) returning *`,
  );
  const takeChanges = db.prepare<[number, string], OutboxDbRow>(
    "update outbox set due_at = ?, version = version + 1 where session_id = ? and kind in ('cut', 'external') returning *",
  );
  const drop = db.prepare<[number, number]>("delete from outbox where id = ? and version = ?");
  const dropFinish = db.prepare<[string]>("delete from outbox where run_id = ? and kind = 'finish'");
  const postpone = db.prepare<[number, number, number]>(
    "update outbox set due_at = ? where id = ? and version = ?",
  );
  const seen = db.prepare<[number, string]>(
    "update sessions set journal_seq = max(journal_seq, ?) where id = ?",
  );

  return {
    /** Adds a row that is leased to the caller; used inside the transaction that makes it necessary. */
    putOutbox(
      kind: OutboxRow["kind"],
      sessionId: string,
      runId: string,
      leaseS: number = OUTBOX_LEASE_S,
    ): OutboxRow {
      const row = put.get(kind, sessionId, runId, now() + leaseS);
      if (row === undefined) throw new Error("an outbox row was not written");
      return outboxFromRow(row);
    },
    /** Leases rows that are due, oldest first. */
    takeOutbox(limit: number): OutboxRow[] {
      const at = now();
      return take
        .all(at + OUTBOX_LEASE_S, at, limit)
        .map(outboxFromRow)
        .sort((a, b) => a.id - b.id);
    },
    /** Leases what is to be told of a session's transcript, due or not. */
    takeChanges: (sessionId: string): OutboxRow[] =>
      takeChanges.all(now() + OUTBOX_LEASE_S, sessionId).map(outboxFromRow),
    /**
     * Removes what was told, as it was then: a row that was put or taken again meanwhile has more to tell and stays. `journalSeq` is
     * the highest position the journal answered with, per session.
     */
    outboxDone(rows: readonly OutboxMark[], journalSeq: readonly (readonly [string, number])[] = []): void {
      for (const { id, version } of rows) drop.run(id, version);
      for (const [sessionId, seq] of journalSeq) seen.run(seq, sessionId);
    },
    /** The same for the `finish` row of a run, by whoever journaled its end. */
    finishDone(runId: string, sessionId: string | null, journalSeq: number): void {
      dropFinish.run(runId);
      if (sessionId !== null) seen.run(journalSeq, sessionId);
    },
    /** Puts a row off by `delayS` after a failure, unless it was put or taken again meanwhile. */
    outboxRetry({ id, version }: OutboxMark, delayS: number): void {
      postpone.run(now() + delayS, id, version);
    },
  };
};

/** A row as somebody has it in hands. */
type OutboxMark = Pick<OutboxRow, "id" | "version">;

export type OutboxOps = ReturnType<typeof createOutboxOps>;

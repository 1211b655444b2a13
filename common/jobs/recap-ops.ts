import type Database from "better-sqlite3";
import type { Clock } from "../base/clock.ts";
import type { Recap, RecapKind } from "../contracts/recap.ts";
import type { OutboxRow } from "../runs/ledger.ts";
import type { JobLedger, MadeJob } from "./ledger.ts";
import { type JobRow, jobFromRow } from "./rows.ts";

/** What a recap is to be made of. */
export interface RecapWork {
  readonly kind: RecapKind;
  /** The conversation's last message. */
  readonly after: string;
}

interface RecapRow {
  readonly session_id: string;
  readonly after_id: string;
  readonly kind: RecapKind;
  readonly bullets: string;
  readonly generated_by: Recap["generated_by"];
  readonly created_at: number;
}

const fromRow = ({ session_id, after_id, kind, bullets, generated_by, created_at }: RecapRow): Recap => ({
  ...{
    session_id,
    kind,
    after: after_id,
    bullets: JSON.parse(bullets) as string[],
    generated_by,
    created_at,
  },
});

const ONE = "select * from recaps where session_id = ? and after_id = ? and kind = ?";

/** What a job's input says; it was written here. */
export const recapWorkOf = (input: string): RecapWork => JSON.parse(input) as RecapWork;

/** Recaps as background work (background-jobs 3.2); run inside the store's threads. */
export const createRecapOps = (db: Database.Database, jobs: JobLedger, now: Clock) => {
  const one = db.prepare<[string, string, string], RecapRow>(ONE);
  const jobById = db.prepare<[string], JobRow>("select * from jobs where id = ?");
  const keep = db.prepare(
    // A card without a model gives way to one with it, never the other way round.
    `insert into recaps (session_id, after_id, kind, bullets, generated_by, created_at)
     values (@sessionId, @after, @kind, @bullets, @generatedBy, @at)
     on conflict (session_id, after_id, kind) do update set bullets = excluded.bullets,
       generated_by = excluded.generated_by, created_at = excluded.created_at
     where recaps.generated_by = 'fallback'`,
  );
  const doneBefore = (made: MadeJob | null, card: RecapRow): MadeJob | null => {
    const row = made === null ? undefined : jobById.get(made.job.id);
    if (made === null || row === undefined) return null;
    const told = jobs.finish(row, { state: "done", reason: null, result: { recap: fromRow(card) } });
    return { job: jobFromRow(jobById.get(row.id) ?? row), outbox: [...made.outbox, ...told] };
  };

  return {
    /**
     * Makes the job, or finds the one that is about the same message (B-33): one that a model has told is not told again. Its card
     * outlives its job: then the job is made as one that is done. Null: the session is gone.
     */
    putRecapJob(sessionId: string, work: RecapWork): MadeJob | null {
      const about = work.kind === "recap" ? work.after : `${work.kind}-${work.after}`;
      const make = () =>
        jobs.put({ kind: "recap", sessionId, about, input: JSON.stringify(work), manual: true });
      const card = one.get(sessionId, work.after, work.kind);
      if (card?.generated_by !== "model") return make();
      const known = jobById.get(`recap-${sessionId}-${about}`);
      return known === undefined ? doneBefore(make(), card) : { job: jobFromRow(known), outbox: [] };
    },

    /** Keeps the card of a job that is still this attempt's, and ends the job: one card, however often it was worked out (B-2). */
    applyRecap(
      id: string,
      attempt: number,
      recap: Pick<Recap, "kind" | "after" | "bullets" | "generated_by">,
      reason: string | null,
    ): OutboxRow[] {
      const row = jobs.mine(id, attempt);
      if (row === null) return [];
      const { kind, after, bullets, generated_by: generatedBy } = recap;
      keep.run({
        ...{
          sessionId: row.session_id,
          after,
          kind,
          bullets: JSON.stringify(bullets),
          generatedBy,
          at: now(),
        },
      });
      const kept = one.get(row.session_id, after, kind);
      const result = kept === undefined ? {} : { result: { recap: fromRow(kept) } };
      return jobs.finish(row, { state: "done", reason, ...result });
    },
  };
};

export const createRecapReadOps = (db: Database.Database) => {
  const behind = db.prepare<[string, string], RecapRow>(
    `select r.* from json_each(?) j cross join recaps r where r.session_id = ? and r.after_id = j.value
     order by r.created_at`,
  );
  return {
    /** The cards that stand behind these messages. */
    recapsBehind: (sessionId: string, messageIds: readonly string[]): Recap[] =>
      messageIds.length === 0 ? [] : behind.all(JSON.stringify(messageIds), sessionId).map(fromRow),
  };
};

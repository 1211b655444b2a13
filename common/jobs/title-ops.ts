import type Database from "better-sqlite3";
import type { OutboxRow } from "../runs/ledger.ts";
import type { OutboxOps } from "../runs/outbox-ops.ts";
import type { SessionRow } from "../sessions/rows.ts";
import type { JobLedger, MadeJob, NewJob } from "./ledger.ts";

/** What is to be made of a session's title. */
export type TitleWork = Omit<NewJob, "kind" | "input"> & { readonly input: "first" | "latest" };

/** Titles as background work (background-jobs 1); run inside the store's threads. */
export const createTitleOps = (db: Database.Database, outbox: OutboxOps, jobs: JobLedger) => {
  const session = db.prepare<[string], SessionRow>("select * from sessions where id = ?");
  const setTitle = db.prepare(
    // Nobody was active: neither times nor order nor unread marks change (B-5).
    `update sessions set title = @title, title_source = 'generated', title_revision = title_revision + 1,
       revision = revision + 1
     where id = @id and title_revision = @revision and (@manual = 1 or title_source is not 'user')`,
  );
  const putTitleJob = (work: TitleWork): MadeJob | null => jobs.put({ kind: "title", ...work });

  return {
    /** Makes the job, or finds the one that is about the same (B-3); null: the session is gone. */
    putTitleJob,

    /** A person asks for a title: also over one that a person gave (B-17); null: the session is gone. */
    regenerateTitle(sessionId: string): MadeJob | null {
      const revision = session.get(sessionId)?.title_revision ?? 0;
      return putTitleJob({ sessionId, about: `m${revision}`, input: "latest", manual: true });
    },

    /**
     * The title of a job that is still this attempt's, once, and only while the session has the title that the job was made for; a
     * person's title only where a person asked (B-2, B-10). Ends the job, also where it comes too late.
     */
    applyTitle(id: string, attempt: number, title: string, reason: string | null): OutboxRow[] {
      const row = jobs.mine(id, attempt);
      if (row === null) return [];
      const { changes } = setTitle.run({
        ...{ id: row.session_id, title, revision: row.input_revision, manual: row.manual },
      });
      if (changes === 1)
        return [
          outbox.putOutbox("title", row.session_id, `${id}-title`),
          ...jobs.finish(row, { state: "done", reason }),
        ];
      const isManual = session.get(row.session_id)?.title_source === "user";
      return jobs.finish(row, { state: "skipped", reason: isManual ? "manual_title" : "title_changed" });
    },
  };
};

export type TitleOps = ReturnType<typeof createTitleOps>;

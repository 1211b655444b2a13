import type Database from "better-sqlite3";
import type { Clock } from "../base/clock.ts";
import type { UpdateSummary, UpdateTarget } from "../contracts/update.ts";

export interface UpdateResult {
  readonly generated_by: "llm" | "fallback";
  readonly notice: readonly string[];
  readonly worth: readonly string[];
}

export interface AskedUpdate {
  readonly profile: string;
  readonly cacheKey: string;
  readonly targets: readonly UpdateTarget[];
}

/** Its work in the queue. */
export interface UpdateWork {
  readonly id: string;
  readonly profile: string;
  readonly created_at: number;
}

interface UpdateRow {
  readonly id: string;
  readonly profile: string;
  readonly cache_key: string;
  readonly targets: string;
  readonly state: UpdateSummary["state"];
  readonly attempt: number;
  readonly result: string | null;
  readonly reason: string | null;
  readonly created_at: number;
  readonly ended_at: number | null;
}

/** Texts that are kept, the least recently used goes first (background-jobs 3.1). */
const MAX_KEPT = 16;
/** A text without a model, or a failure, is tried again after this long (B-31), in seconds. */
const RETRY_AFTER_S = 5 * 60;
const MAX_ATTEMPTS = 3;

/** What is new, told once per profile and range; run inside the store's threads. No session owns it, so it is no row of `jobs`. */
export const createUpdateOps = (db: Database.Database, now: Clock) => {
  const byId = db.prepare<[string], UpdateRow>("select * from update_summaries where id = ?");
  const insert = db.prepare(
    `insert into update_summaries (id, profile, cache_key, targets, state, created_at, used_at)
     values (@id, @profile, @cacheKey, @targets, 'queued', @at, @at)
     on conflict (id) do update set state = 'queued', attempt = 0, result = null, reason = null, ended_at = null,
       targets = excluded.targets, created_at = excluded.created_at, used_at = excluded.used_at`,
  );
  const touch = db.prepare<[number, string]>("update update_summaries set used_at = ? where id = ?");
  const evict = db.prepare(
    `delete from update_summaries where id in
       (select id from update_summaries order by used_at desc, id limit -1 offset ${MAX_KEPT})`,
  );
  const claim = db.prepare<[string], UpdateRow>(
    "update update_summaries set state = 'running', attempt = attempt + 1 where id = ? returning *",
  );
  const end = db.prepare(
    `update update_summaries set state = @state, result = @result, reason = @reason, ended_at = @at
     where id = @id and attempt = @attempt and ended_at is null`,
  );

  const isGood = ({ result, ended_at }: UpdateRow): boolean =>
    ended_at !== null &&
    ((JSON.parse(result ?? "{}") as Partial<UpdateResult>).generated_by === "llm" ||
      now() - ended_at < RETRY_AFTER_S);

  return {
    /** The text as it is, made when there is none or the last try is long enough ago. `work`: what the queue must hold; null: it has ended. */
    askUpdateSummary({ profile, cacheKey, targets }: AskedUpdate): {
      readonly summary: UpdateSummary;
      readonly work: UpdateWork | null;
    } {
      const id = `updsum-${profile}-${cacheKey}`;
      const known = byId.get(id);
      const cached = known !== undefined && isGood(known);
      if (known === undefined || (known.ended_at !== null && !cached)) {
        insert.run({ id, profile, cacheKey, targets: JSON.stringify(targets), at: now() });
        evict.run();
      } else touch.run(now(), id);
      const row = byId.get(id);
      if (row === undefined) throw new Error("a summary was not written");
      return { summary: fromRow(row, cached), work: row.ended_at === null ? row : null };
    },

    /** Attempt n+1 of what has not ended; null: there is nothing (more) to do, or it is not of the profile in whose queue it was found. */
    claimUpdateSummary(
      id: string,
      queueOf: string,
    ): {
      readonly profile: string;
      readonly attempt: number;
      readonly targets: readonly UpdateTarget[];
    } | null {
      const row = byId.get(id);
      if (row === undefined || row.ended_at !== null || row.profile !== queueOf) return null;
      if (row.attempt >= MAX_ATTEMPTS) {
        end.run({
          id,
          attempt: row.attempt,
          state: "failed",
          result: null,
          reason: "worker_crashed",
          at: now(),
        });
        return null;
      }
      const claimed = claim.get(id);
      if (claimed === undefined) return null;
      const { profile, attempt, targets } = claimed;
      return { profile, attempt, targets: JSON.parse(targets) as UpdateTarget[] };
    },

    /** Ends it, once, while it is this attempt's. */
    endUpdateSummary(
      id: string,
      attempt: number,
      result: UpdateResult | null,
      reason: string | null,
    ): boolean {
      const state = result === null ? "failed" : "done";
      const text = result === null ? null : JSON.stringify(result);
      return end.run({ id, attempt, state, result: text, reason, at: now() }).changes === 1;
    },
  };
};

const fromRow = (row: UpdateRow, cached: boolean): UpdateSummary => {
  const result = row.result === null ? null : (JSON.parse(row.result) as UpdateResult);
  return {
    ...{
      id: row.id,
      profile: row.profile,
      cache_key: row.cache_key,
      state: row.state,
      reason: row.reason,
      cached,
    },
    generated_by: result?.generated_by ?? null,
    notice: [...(result?.notice ?? [])],
    worth: [...(result?.worth ?? [])],
    targets: JSON.parse(row.targets) as UpdateTarget[],
    created_at: row.created_at,
    ended_at: row.ended_at,
  };
};

import type Database from "better-sqlite3";
import type { Clock } from "../base/clock.ts";
import { processHeadline } from "../contracts/process-part.ts";
import type { RunLimits } from "../contracts/profile.ts";
import type { Run, RunErrorCode } from "../contracts/run.ts";
import type { AcceptOps } from "../runs/accept-ops.ts";
import type { EndedRun } from "../runs/end-ops.ts";
import type { OutboxRow } from "../runs/ledger.ts";
import type { OutboxOps } from "../runs/outbox-ops.ts";
import { COUNT_SQL, PENDING, previewOf } from "../sessions/places.ts";
import { isNews, partOf, toldText, wakeText } from "./notice.ts";
import type { ProcessRow } from "./rows.ts";

/** What a profile's files say at this moment; null: they cannot be read. */
export interface WakeTerms {
  readonly revision: string;
  readonly limits: RunLimits;
}

export interface Woken {
  /** Something could not be placed yet: look again soon. */
  readonly again: boolean;
  readonly run: Run | null;
  readonly outbox: readonly OutboxRow[];
}

/** Ends that one turn stands for; the next turn takes the next ones. */
const AT_ONCE = 20;
/** Turns that the system begins one after another without a word of a person: a process that starts itself anew is no hot loop. */
const MAX_IN_A_ROW = 25;
/** How a run fails for which no usable key exists (B-39). */
const NO_KEY: ReadonlySet<RunErrorCode> = new Set([
  "auth_mismatch",
  "gateway_auth_error",
  "credential_pool_empty",
  "profile_unavailable",
]);

const NOTHING: Woken = { again: false, run: null, outbox: [] };

/**
 * Ends of background processes become turns. Claim, start and confirmation are one transaction: the run is accepted together with the
 * mark that its processes have theirs, or neither is, so there is nothing to release and nothing is begun twice (B-36).
 */
export const createWakeOps = (
  db: Database.Database,
  outbox: OutboxOps,
  { acceptRun }: Pick<AcceptOps, "acceptRun">,
  now: Clock,
) => {
  const session = db.prepare<
    [string],
    { id: string; next_turn: number; store_cursor: number; base_cursor: number; wake_paused: string | null }
  >("select id, next_turn, store_cursor, base_cursor, wake_paused from sessions where id = ?");
  const active = db.prepare<[string]>(
    `select 1 from runs where session_id = ? and status in ('queued', 'running', 'waiting', 'cancelling') limit 1`,
  );
  const pending = db.prepare<[string, number], ProcessRow>(
    "select * from processes where session_id = ? and completion = 'pending' order by ended_at, id limit ?",
  );
  const mark = db.prepare(
    "update processes set completion = @completion, wake_run_id = @run where id = @id and completion = 'pending'",
  );
  const unpause = db.prepare<[string]>("update sessions set wake_paused = null where id = ?");
  const lift = db.prepare<[string, string]>(
    "update sessions set wake_paused = null where profile = ? and wake_paused is not null and wake_paused <> ?",
  );
  const inARow = db
    .prepare<[string, string], number>(
      `select count(*) from runs where session_id = ? and source = 'process' and turn >
         coalesce((select max(turn) from runs where session_id = ? and source = 'user'), 0)`,
    )
    .pluck();
  const onItsWay = db.prepare<[string]>(
    "select 1 from outbox where session_id = ? and kind in ('sync', 'copy') limit 1",
  );
  const newestRow = db
    .prepare<[string], number | null>(
      "select max(row_id) from messages where session_id = ? and row_id is not null",
    )
    .pluck();
  const insertNotice = db.prepare(
    `insert into messages (session_id, turn, idx, id, run_id, role, content, parts, status, origin, created_at, anchor, source)
     values (@session, @turn, 0, @id, null, 'notice', @content, @parts, 'complete', 'talaria', @at, @anchor, 'process')`,
  );
  // Nobody was active: neither times nor the place in the list change (B-5).
  const touch = db.prepare(
    `update sessions set next_turn = next_turn + 1, revision = revision + 1, message_count = ${COUNT_SQL},
       last_role = 'notice', last_preview = @preview where id = @id`,
  );

  const tell = (row: ProcessRow): OutboxRow => outbox.putOutbox("process", row.session_id, row.id);
  const settle = (
    row: ProcessRow,
    completion: "none" | "started" | "told",
    run: string | null,
  ): OutboxRow[] => (mark.run({ id: row.id, completion, run }).changes === 0 ? [] : [tell(row)]);

  /** Shows the end in the transcript; no model reads it. */
  const inform = (row: ProcessRow, why: string): OutboxRow[] => {
    const owner = session.get(row.session_id);
    if (owner === undefined) return [];
    const known = Math.max(owner.store_cursor, owner.base_cursor, newestRow.get(owner.id) ?? 0);
    const content = toldText(row, why);
    insertNotice.run({
      ...{ session: owner.id, turn: owner.next_turn, id: `${row.id}-told`, content, at: now() },
      ...{ parts: JSON.stringify([partOf(row)]), anchor: known > 0 ? known : PENDING },
    });
    touch.run({ id: owner.id, preview: previewOf(content) });
    return settle(row, "told", null);
  };

  return {
    /**
     * Begins the turn that ends of processes of the session ask for, if nothing of the session is unfinished: the user's messages come
     * first (B-36). Ends that came more than `maxAgeS` ago (0: none is too old), and those of a loop, are shown and not told to
     * the model (B-37). While the session's turns wait for a key, nothing begins (B-39).
     */
    wakeSession(sessionId: string, terms: WakeTerms | null, maxAgeS: number): Woken {
      const owner = session.get(sessionId);
      if (owner === undefined || active.get(sessionId) !== undefined) return NOTHING;
      const rows = pending.all(sessionId, AT_ONCE);
      const told: OutboxRow[] = rows
        .filter((row) => !isNews(row))
        .flatMap((row) => settle(row, "none", null));
      const news = rows.filter(isNews);
      const whyOnlyShown = reasonNotToWake(
        maxAgeS === 0 ? 0 : now() - maxAgeS,
        inARow.get(sessionId, sessionId) ?? 0,
      );
      const shown = news.flatMap((row) => {
        const why = whyOnlyShown(row);
        return why === null ? [] : [{ row, why }];
      });
      // What a turn wrote is finding its place in the store: a notice would stand before it.
      const again = shown.length > 0 && onItsWay.get(sessionId) !== undefined;
      if (!again) told.push(...shown.flatMap(({ row, why }) => inform(row, why)));
      const begin = news.filter((row) => whyOnlyShown(row) === null);
      const isPaused = owner.wake_paused !== null && (terms === null || terms.revision === owner.wake_paused);
      if (begin.length === 0 || isPaused) return { again, run: null, outbox: told };
      if (owner.wake_paused !== null) unpause.run(sessionId);
      const parts = begin.map((row) => ({ ...partOf(row) }));
      const { run, outbox: begun } = acceptRun({
        sessionId,
        text: wakeText(begin),
        model: null,
        onBusy: "reject",
        recovery: "resume",
        idempotency: null,
        configRevision: terms?.revision ?? null,
        limits: terms?.limits ?? null,
        made: { source: "process", parts, headline: parts.map(processHeadline).join("; ") },
      });
      for (const row of begin) told.push(...settle(row, "started", run.id));
      return { again, run, outbox: [...begun, ...told] };
    },

    /** The credentials of a profile have changed: its sessions' turns begin again (B-39). */
    liftWakes: (profile: string, revision: string): number => lift.run(profile, revision).changes,
  };
};

export type WakeOps = ReturnType<typeof createWakeOps>;

/** Why an end is shown and begins no turn; null: it begins one. */
const reasonNotToWake =
  (staleBefore: number, begun: number) =>
  (row: ProcessRow): string | null => {
    if (row.kill_by === "person") return "It was ended by a person, so no turn was begun for it.";
    if ((row.ended_at ?? 0) < staleBefore) return "That is some time ago, so no turn was begun for it.";
    if (begun >= MAX_IN_A_ROW)
      return "Many turns were begun by the system one after another, so none was begun for it.";
    return null;
  };

/** What a run's end means for the ends of processes that wait: used inside its transaction. */
export const createAfterTurn = (
  db: Database.Database,
  outbox: OutboxOps,
): ((ended: EndedRun) => OutboxRow[]) => {
  const pause = db.prepare<[string, string]>("update sessions set wake_paused = ? where id = ?");
  const waiting = db.prepare<[string]>(
    "select 1 from processes where session_id = ? and completion = 'pending' limit 1",
  );
  return ({ sessionId, source, configRevision, errorCode, isLast }) => {
    if (source === "process" && errorCode !== null && NO_KEY.has(errorCode))
      pause.run(configRevision ?? "", sessionId);
    return isLast && waiting.get(sessionId) !== undefined
      ? [outbox.putOutbox("wake", sessionId, sessionId)]
      : [];
  };
};

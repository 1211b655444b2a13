import type Database from "better-sqlite3";
import type { Clock } from "../base/clock.ts";
import { TalariaError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import { isBareContinue } from "../compression/bare-continue.ts";
import type { Message } from "../contracts/message.ts";
import type { Run } from "../contracts/run.ts";
import type { CreateWebhookBody, MadeWebhook } from "../contracts/webhook.ts";
import { createCutOps } from "../sessions/cut-ops.ts";
import { PENDING, previewOf } from "../sessions/places.ts";
import { type MessageRow, messageFromRow, type SessionRow } from "../sessions/rows.ts";
import { provisionalTitle } from "../titles/provisional.ts";
import type { OutboxRow } from "./ledger.ts";
import type { OutboxOps } from "./outbox-ops.ts";
import type { AcceptRequest } from "./port.ts";
import type { ReleaseOps } from "./release-ops.ts";
import { type RunRow, runFromRow, SELECT_RUN } from "./rows.ts";

const EXHAUSTED = "compression_exhausted";
export const IDEMPOTENCY_KEEP_S = 48 * 3600;

/** Acceptance: everything a 202 promises, in one transaction (reliability 1; cancel-approve-steer C-1, C-4). */
export const createAcceptOps = (
  db: Database.Database,
  outbox: OutboxOps,
  releases: Pick<ReleaseOps, "releaseFor" | "putLimits">,
  now: Clock,
  /** Makes a webhook of the run. */
  putRunWebhook: (sessionId: string, runId: string, given: CreateWebhookBody) => MadeWebhook,
) => {
  const session = db.prepare<[string], SessionRow>("select * from sessions where id = ?");
  const known = db.prepare<[string, string], { body_hash: string; run_id: string; created_at: number }>(
    "select body_hash, run_id, created_at from idempotency_keys where session_id = ? and key = ?",
  );
  const remember = db.prepare(
    "insert or replace into idempotency_keys (session_id, key, body_hash, run_id, created_at) values (?, ?, ?, ?, ?)",
  );
  const forget = db.prepare<[number, number]>(
    `delete from idempotency_keys where (session_id, key) in
       (select session_id, key from idempotency_keys where created_at < ? order by created_at limit ?)`,
  );
  const active = db.prepare<[string], { id: string }>(
    `select id from runs where session_id = ? and status in ('queued', 'running', 'waiting', 'cancelling')
     order by turn limit 1`,
  );
  const lastError = db
    .prepare<[string], string | null>(
      "select error_code from runs where session_id = ? and ended_at is not null order by turn desc limit 1",
    )
    .pluck();
  const run = db.prepare<[string], RunRow>(`${SELECT_RUN} where r.id = ?`);
  const insertRun = db.prepare(
    `insert into runs (id, session_id, turn, profile, model, status, recovery, generation, created_at, config_revision,
       traceparent, source)
     values (?, ?, ?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?)`,
  );
  const insertMessage = db.prepare(
    `insert into messages (session_id, turn, idx, id, run_id, role, content, status, origin, created_at, anchor, source, parts)
     values (?, ?, 0, ?, ?, 'user', ?, 'complete', 'talaria', ?, ${PENDING}, ?, ?)`,
  );
  /** At most one: none is begun while anything of the session is unfinished. */
  const unbegun = db.prepare<[string], { id: string }>(
    `select id from runs where session_id = ? and status in ('queued', 'running', 'waiting', 'cancelling')
       and status = 'queued' and source = 'process' and attempt = 0 limit 1`,
  );
  const stepAside = [
    "update runs set turn = @turn, released_at = null where id = @id",
    "update messages set turn = @turn where session_id = @session and run_id = @id",
    "update sessions set next_turn = next_turn + 1, active_run_id = nullif(active_run_id, @id) where id = @session",
  ].map((sql) => db.prepare(sql));
  const unpause = db.prepare<[string]>(
    "update sessions set wake_paused = null where id = ? and wake_paused is not null",
  );
  const message = db.prepare<[string], MessageRow>("select * from messages where id = ?");
  const touch = db.prepare(
    `update sessions set next_turn = next_turn + 1, message_count = message_count + 1, revision = revision + 1,
       last_message_at = @at, updated_at = @at, activity_at = @at, active_run_id = coalesce(active_run_id, @run),
       title_source = case when title is null and @title is not null then 'provisional' else title_source end,
       title = coalesce(title, @title),
       seen_count = case when @typed = 1 then message_count + 1 else seen_count end, last_role = @role, last_preview = @preview
     where id = @id`,
  );

  const load = (id: string): { run: Run; message: Message } => {
    const row = run.get(id);
    const text = message.get(`${id}-0`);
    if (row === undefined || text === undefined)
      throw new TalariaError("run_not_found", "there is no such run");
    return { run: runFromRow(row), message: messageFromRow(text) };
  };

  const { cutSession } = createCutOps(db, now);

  return {
    acceptRun(request: AcceptRequest): {
      run: Run;
      message: Message;
      replayed: boolean;
      webhook: MadeWebhook | null;
      outbox: OutboxRow[];
    } {
      const at = now();
      const owner = session.get(request.sessionId);
      if (owner === undefined) throw new TalariaError("session_not_found", "there is no such session");
      if (request.idempotency !== null) {
        const earlier = known.get(request.sessionId, request.idempotency.key);
        if (earlier !== undefined && earlier.created_at > at - IDEMPOTENCY_KEEP_S) {
          if (earlier.body_hash !== request.idempotency.bodyHash) {
            throw new TalariaError("idempotency_mismatch", "this Idempotency-Key was used with another body");
          }
          return { ...load(earlier.run_id), replayed: true, webhook: null, outbox: [] };
        }
      }
      // A turn of the system's that nobody has begun lets a person go first (B-36, C-48).
      const aside = request.made === undefined ? unbegun.get(owner.id) : undefined;
      if (aside !== undefined)
        for (const statement of stepAside)
          statement.run({ id: aside.id, session: owner.id, turn: owner.next_turn + 1 });
      const first = active.get(owner.id);
      const before = first?.id === aside?.id ? undefined : first;
      if (before !== undefined && request.onBusy === "reject") {
        throw new TalariaError("session_busy", "the session has an active run", {
          details: { active_run_id: before.id },
        });
      }
      if (isBareContinue(request.text) && request.cut === undefined && lastError.get(owner.id) === EXHAUSTED)
        throw new TalariaError(
          EXHAUSTED,
          "the context of this session is exhausted; going on needs a new one",
          {
            details: { continue_url: `/api/sessions/${owner.id}/continue` },
          },
        );
      // What the new message replaces goes in the same transaction (c.7: retry and edit are a cut, then the prompt).
      if (request.cut !== undefined) cutSession(owner.id, request.cut);
      const id = newId("run", at * 1000);
      // A person wrote, or asked for the turn again.
      if (request.made === undefined || request.cut !== undefined) unpause.run(owner.id);
      insertRun.run(
        id,
        owner.id,
        owner.next_turn,
        owner.profile,
        request.model ?? owner.model,
        request.recovery,
        // Until its first claim: what is told of the run stands above the fence of a deleted session of this id.
        owner.generation,
        at,
        request.configRevision ?? null,
        request.traceparent ?? null,
        request.made?.source ?? "user",
      );
      insertMessage.run(owner.id, owner.next_turn, `${id}-0`, id, request.text, at, ...madeValues(request));
      touch.run({
        ...{ id: owner.id, run: id, at },
        // Worked out only where it is used: every other write waits meanwhile.
        title: owner.title === null && request.made === undefined ? provisionalTitle(request.text) : null,
        typed: Number(request.made === undefined),
        role: request.made === undefined ? "user" : "notice",
        preview: previewOf(request.made?.headline ?? request.text),
      });
      if (request.idempotency !== null) {
        remember.run(owner.id, request.idempotency.key, request.idempotency.bodyHash, id, at);
      }
      const webhook = request.webhook === undefined ? null : putRunWebhook(owner.id, id, request.webhook);
      const rows = [outbox.putOutbox("announce", owner.id, id)];
      if (request.limits != null) releases.putLimits(owner.profile, request.limits);
      // One that has to wait for its profile is told of now and given to the queue when there is room.
      if (before === undefined) rows.push(...releases.releaseFor(owner.profile, { id, sessionId: owner.id }));
      return { ...load(id), replayed: false, webhook, outbox: rows };
    },

    /** Removes at most `limit` idempotency keys whose 48 hours are over. */
    forgetOldKeys: (limit: number): number => forget.run(now() - IDEMPOTENCY_KEEP_S, limit).changes,
  };
};

const madeValues = ({ made }: AcceptRequest): readonly [string | null, string | null] =>
  made === undefined ? [null, null] : [made.source, JSON.stringify(made.parts)];

export type AcceptOps = ReturnType<typeof createAcceptOps>;

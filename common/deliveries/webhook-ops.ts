import { randomBytes } from "node:crypto";
import type Database from "better-sqlite3";
import type { Clock } from "../base/clock.ts";
import { TalariaError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import {
  type CreateWebhookBody,
  type MadeWebhook,
  RUN_HOOK_EVENTS,
  type Webhook,
} from "../contracts/webhook.ts";
import { type WebhookRow, webhookFromRow } from "./rows.ts";

/** Webhooks of one session that are for all of its runs. */
const MAX_PER_SESSION = 20;
/** Bytes of a secret that is made here. */
const SECRET_BYTES = 32;

/** The rows of webhooks; run inside the store's threads. Secrets go in here and come out at a delivery only. */
export const createWebhookOps = (db: Database.Database, now: Clock) => {
  const session = db.prepare<[string]>("select 1 from sessions where id = ?");
  const count = db
    .prepare<[string], number>("select count(*) from webhooks where session_id = ? and run_id is null")
    .pluck();
  const insert = db.prepare<[string, string, string | null, string, string, string, number], WebhookRow>(
    `insert into webhooks (id, session_id, run_id, url, events, secret, created_at) values (?, ?, ?, ?, ?, ?, ?)
     returning *`,
  );
  const remove = db.prepare<[string]>("delete from webhooks where id = ?");
  const forget = db.prepare<[number, number]>(
    `delete from webhooks where id in (
       select id from webhooks w where run_id is not null and created_at < ?
         and not exists (select 1 from runs r where r.id = w.run_id and r.ended_at is null)
         and not exists (select 1 from deliveries d where d.webhook_id = w.id) limit ?)`,
  );

  const put = (sessionId: string, runId: string | null, given: CreateWebhookBody): MadeWebhook => {
    const made = given.secret === undefined ? `whsec_${randomBytes(SECRET_BYTES).toString("base64")}` : null;
    const events = RUN_HOOK_EVENTS.filter((event) => given.events?.includes(event) ?? true);
    const secret = given.secret ?? made ?? "";
    const row = insert.get(
      ...[newId("hook"), sessionId, runId, given.url, JSON.stringify(events), secret, now()],
    );
    if (row === undefined) throw new Error("a webhook was not written");
    return { webhook: webhookFromRow(row), secret: made };
  };

  return {
    /** Throws `session_not_found`, and `conflict` when the session has as many as it may have. */
    createWebhook(sessionId: string, given: CreateWebhookBody): MadeWebhook {
      if (session.get(sessionId) === undefined)
        throw new TalariaError("session_not_found", "there is no such session");
      if ((count.get(sessionId) ?? 0) >= MAX_PER_SESSION)
        throw new TalariaError("conflict", `a session has at most ${MAX_PER_SESSION} webhooks`);
      return put(sessionId, null, given);
    },
    /** Of a run that is being accepted, in that transaction. */
    putRunWebhook: (sessionId: string, runId: string, given: CreateWebhookBody): MadeWebhook =>
      put(sessionId, runId, given),
    /** Takes its deliveries with it, made ones and waiting ones; false: there was none. */
    deleteWebhook: (id: string): boolean => remove.run(id).changes === 1,
    /** Forgets so many webhooks of single runs that were made before (epoch seconds) and have nothing left to tell or to show. */
    forgetWebhooks: (before: number, limit: number): number => forget.run(before, limit).changes,
  };
};

export type WebhookOps = ReturnType<typeof createWebhookOps>;

export const createWebhookReadOps = (db: Database.Database) => {
  const byId = db.prepare<[string], WebhookRow>("select * from webhooks where id = ?");
  const ofSession = db.prepare<[string], WebhookRow>(
    "select * from webhooks where session_id = ? and run_id is null order by created_at desc, id",
  );
  // As many as the session has runs.
  const ofRuns = db.prepare<[string], WebhookRow>(
    "select * from webhooks where session_id = ? and run_id is not null order by created_at desc, id limit 80",
  );
  return {
    /** Null when there is none. */
    findWebhook(id: string): Webhook | null {
      const row = byId.get(id);
      return row === undefined ? null : webhookFromRow(row);
    },
    /** Those of the session first, then those of its newest runs. */
    webhooksOf: (sessionId: string): Webhook[] =>
      [...ofSession.all(sessionId), ...ofRuns.all(sessionId)].map(webhookFromRow),
  };
};

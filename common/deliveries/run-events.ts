import type Database from "better-sqlite3";
import type { Clock } from "../base/clock.ts";
import { newId } from "../base/ids.ts";
import type { RunHookEvent } from "../contracts/webhook.ts";
import type { OutboxRow } from "../runs/ledger.ts";
import type { OutboxOps } from "../runs/outbox-ops.ts";

/** The run that something happened to. */
export interface HookedRun {
  readonly id: string;
  readonly session_id: string;
  readonly profile: string;
}

/** What browsers are told. A stop is known to whoever stopped. */
const PUSHED: ReadonlySet<RunHookEvent> = new Set([
  "run.completed",
  "run.failed",
  "run.interrupted",
  "run.waiting",
]);

/**
 * Writes a delivery for everybody who is to hear of it, in the transaction of what happened: either both are there or neither. Call it
 * once for each time that it happens.
 */
export const createRunEvents = (
  db: Database.Database,
  outbox: Pick<OutboxOps, "putOutbox">,
  now: Clock,
): ((run: HookedRun, event: RunHookEvent) => OutboxRow[]) => {
  const webhooks = db
    .prepare<[string, string, string], string>(
      // Those of the session's other runs may be many: they are not walked over.
      `select id from (
         select id, off_reason, events from webhooks where session_id = ? and run_id is null union all
         select id, off_reason, events from webhooks where run_id = ?) w
       where w.off_reason is null and exists (select 1 from json_each(w.events) e where e.value = ?)`,
    )
    .pluck();
  // The browsers of a login that has ended are told nothing.
  const browsers = db
    .prepare<[], string>(
      `select id from push_subscriptions s where s.owner = 'local'
         or exists (select 1 from logins l where l.hash = substr(s.owner, 7) and s.owner like 'login:%')`,
    )
    .pluck();
  const insert = db.prepare(
    `insert into deliveries (id, webhook_id, subscription_id, session_id, run_id, profile, event, state, created_at, due_at)
     values (@id, @webhook, @browser, @session, @run, @profile, @event, 'queued', @at, @at)`,
  );

  return (run, event) => {
    const put = (target: { readonly webhook: string | null; readonly browser: string | null }): OutboxRow => {
      const id = newId("msg");
      const { session_id: session, profile } = run;
      insert.run({ id, ...target, session, run: run.id, profile, event, at: now() });
      return outbox.putOutbox("deliver", session, id);
    };
    return [
      ...webhooks.all(run.session_id, run.id, event).map((webhook) => put({ webhook, browser: null })),
      ...(PUSHED.has(event) ? browsers.all().map((browser) => put({ webhook: null, browser })) : []),
    ];
  };
};

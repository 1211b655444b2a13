import type Database from "better-sqlite3";
import type { Clock } from "../base/clock.ts";
import { TalariaError } from "../base/errors.ts";
import type { Delivery } from "../contracts/delivery.ts";
import type { Run } from "../contracts/run.ts";
import type { OutboxRow } from "../runs/ledger.ts";
import type { OutboxOps } from "../runs/outbox-ops.ts";
import { type RunRow, runFromRow, SELECT_RUN } from "../runs/rows.ts";
import { type DeliveryRow, deliveryFromRow, type SubscriptionRow, type WebhookRow } from "./rows.ts";

/** A delivery as its worker got it. The secret and the keys are in no other answer of the store. */
export interface ClaimedDelivery {
  readonly delivery: Delivery;
  /** The fence of this attempt. */
  readonly attempt: number;
  readonly target:
    | { readonly kind: "webhook"; readonly url: string; readonly secret: string }
    | ({ readonly kind: "push" } & Pick<SubscriptionRow, "endpoint" | "p256dh" | "auth">);
  readonly run: Run;
  readonly title: string | null;
}

/** How an attempt ended. */
export type DeliveryEnd =
  | { readonly kind: "delivered"; readonly status: number }
  | {
      readonly kind: "retry";
      readonly status: number | null;
      readonly reason: string;
      readonly delayS: number;
    }
  | { readonly kind: "dead"; readonly status: number | null; readonly reason: string }
  /** It wants nothing any more: a webhook is switched off, a browser is forgotten. */
  | { readonly kind: "gone"; readonly status: number };

/** Claims in a row that nobody reported back from before a delivery is given up. */
const MAX_LOST = 10;
/** A job may come this much before the time on the row, in seconds. */
const EARLY_S = 1;

/**
 * The rows of deliveries; run inside the store's threads. When one is due stands on the row and on its outbox row, so that neither
 * Redis nor a process has to remember it. An attempt that was claimed and never reported is made again: at least once, with one id.
 */
export const createDeliveryOps = (db: Database.Database, outbox: OutboxOps, now: Clock) => {
  const byId = db.prepare<[string], DeliveryRow>("select * from deliveries where id = ?");
  const webhook = db.prepare<[string], WebhookRow>("select * from webhooks where id = ?");
  const subscription = db.prepare<[string], SubscriptionRow>("select * from push_subscriptions where id = ?");
  const run = db.prepare<[string], RunRow>(`${SELECT_RUN} where r.id = ?`);
  const title = db.prepare<[string], string | null>("select title from sessions where id = ?").pluck();
  const claim = db.prepare(
    `update deliveries set state = 'sending', attempt = attempt + 1, worker = @worker,
       lost = case when state = 'sending' then lost + 1 else 0 end where id = @id`,
  );
  const end = db.prepare(
    `update deliveries set state = @state, tries = tries + @tried, lost = 0, worker = null, http_status = @status,
       reason = @reason, due_at = @due, ended_at = @ended where id = @id`,
  );
  const again = db.prepare(
    `update deliveries set state = 'queued', tries = 0, lost = 0, due_at = @at, ended_at = null where id = @id`,
  );
  const switchOff = db.prepare<[string]>("update webhooks set off_reason = 'gone' where id = ?");
  const switchOn = db.prepare<[string]>("update webhooks set off_reason = null where id = ?");
  const forgetBrowser = db.prepare<[string]>("delete from push_subscriptions where id = ?");
  const forget = db.prepare<[number, number, number]>(
    `delete from deliveries where id in (
       select id from deliveries where ended_at < ? and (state = 'delivered' or ended_at < ?) order by ended_at limit ?)`,
  );

  const tell = (row: DeliveryRow): OutboxRow => outbox.putOutbox("deliver", row.session_id, row.id);
  const settle = (
    row: DeliveryRow,
    state: Delivery["state"],
    { status, reason, tried = 1 }: { status: number | null; reason: string | null; tried?: number },
    dueAt?: number,
  ): void => {
    const ended = state === "delivered" || state === "dead" ? now() : null;
    end.run({ id: row.id, state, tried, status, reason, due: dueAt ?? row.due_at, ended });
  };

  return {
    /** Attempt n+1 of one that is due; null: there is nothing (more) to do now, or it is of another profile than this one. */
    claimDelivery(id: string, worker: string, profile?: string): ClaimedDelivery | null {
      const row = byId.get(id);
      if (row !== undefined && profile !== undefined && row.profile !== profile) return null;
      if (row === undefined || row.ended_at !== null || row.due_at > now() + EARLY_S) return null;
      const target = targetOf(row);
      const about = run.get(row.run_id);
      if (target === null || about === undefined || row.lost >= MAX_LOST) {
        const reason = target === null ? "switched_off" : "worker_crashed";
        settle(row, "dead", { status: row.http_status, reason, tried: 0 });
        return null;
      }
      claim.run({ id, worker });
      return {
        ...{ delivery: deliveryFromRow({ ...row, state: "sending" }), attempt: row.attempt + 1, target },
        ...{ run: runFromRow(about), title: title.get(row.session_id) ?? null },
      };
    },

    /** Nothing happens where this attempt is not the delivery's any more. Answers what became of it; null: nothing did. */
    endDelivery(id: string, attempt: number, ending: DeliveryEnd): Delivery | null {
      const row = byId.get(id);
      if (row === undefined || row.attempt !== attempt || row.state !== "sending") return null;
      switch (ending.kind) {
        case "delivered":
          settle(row, "delivered", { status: ending.status, reason: null });
          break;
        case "retry": {
          // Leased for as long as it waits: whoever looks after that puts it into its queue.
          outbox.putOutbox("deliver", row.session_id, row.id, ending.delayS);
          settle(row, "queued", ending, now() + ending.delayS);
          break;
        }
        case "dead":
          settle(row, "dead", ending);
          break;
        case "gone":
          settle(row, "dead", { status: ending.status, reason: "gone" });
          if (row.webhook_id !== null) switchOff.run(row.webhook_id);
          else if (row.subscription_id !== null) forgetBrowser.run(row.subscription_id);
          break;
      }
      const after = byId.get(id);
      return after === undefined ? null : deliveryFromRow(after);
    },

    /**
     * One that was given up begins anew, and its webhook is in use again. One that waits is tried at once; one that is being sent stays
     * as it is. Null: there is none. Throws `conflict` for one that arrived.
     */
    retryDelivery(id: string): { delivery: Delivery; outbox: OutboxRow[] } | null {
      const row = byId.get(id);
      if (row === undefined) return null;
      if (row.state === "delivered")
        throw new TalariaError("conflict", "this delivery has arrived; it is not sent again");
      if (row.state === "sending") return { delivery: deliveryFromRow(row), outbox: [] };
      if (row.webhook_id !== null) switchOn.run(row.webhook_id);
      again.run({ id, at: now() });
      return { delivery: deliveryFromRow(byId.get(id) ?? row), outbox: [tell(row)] };
    },

    /** Asks for these to be put into their queues again. */
    requeueDeliveries: (ids: readonly string[]): OutboxRow[] =>
      ids.flatMap((id) => {
        const row = byId.get(id);
        return row === undefined || row.ended_at !== null ? [] : [tell(row)];
      }),

    /** Forgets so many that arrived before the one time or were given up before the other (epoch seconds). */
    forgetDeliveries: (deliveredBefore: number, deadBefore: number, limit: number): number =>
      forget.run(deliveredBefore, deadBefore, limit).changes,
  };

  function targetOf(row: DeliveryRow): ClaimedDelivery["target"] | null {
    if (row.webhook_id !== null) {
      const found = webhook.get(row.webhook_id);
      if (found === undefined || found.off_reason !== null) return null;
      return { kind: "webhook", url: found.url, secret: found.secret };
    }
    const found = row.subscription_id === null ? undefined : subscription.get(row.subscription_id);
    if (found === undefined) return null;
    return { kind: "push", endpoint: found.endpoint, p256dh: found.p256dh, auth: found.auth };
  }
};

export type DeliveryOps = ReturnType<typeof createDeliveryOps>;

import type Database from "better-sqlite3";
import type { DeliveriesQuery, Delivery, OpsDeliveriesQuery } from "../contracts/delivery.ts";
import type { Page } from "../contracts/http.ts";
import { decodeTimeCursor, pageOf } from "../sqlite/page-cursor.ts";
import { type DeliveryRow, deliveryFromRow } from "./rows.ts";

/** An unfinished delivery as the queue's producer needs it. */
export interface QueuedDelivery {
  readonly id: string;
  readonly profile: string;
  readonly tries: number;
}

/** Deliveries that are not over, or were given up, by kind. */
export interface DeliveryCount {
  readonly kind: "webhook" | "push";
  readonly state: "queued" | "sending" | "dead";
  readonly n: number;
}

export const createDeliveryReadOps = (db: Database.Database) => {
  const byId = db.prepare<[string], DeliveryRow>("select * from deliveries where id = ?");
  const ofWebhook = db.prepare<[string, number, string, number], DeliveryRow>(
    `select * from deliveries where webhook_id = ? and (created_at, id) < (?, ?)
     order by created_at desc, id desc limit ?`,
  );
  const dead = db.prepare<[number, string, number], DeliveryRow>(
    `select * from deliveries where state = 'dead' and (ended_at, id) < (?, ?) order by ended_at desc, id desc limit ?`,
  );
  const open = db.prepare<[string, number, string, number], DeliveryRow>(
    `select * from deliveries indexed by deliveries_open
     where state in ('queued', 'sending') and state = ? and (due_at, id) > (?, ?) order by due_at, id limit ?`,
  );
  const forgotten = db.prepare<[number, number], QueuedDelivery>(
    `select id, profile, tries from deliveries indexed by deliveries_open
     where state in ('queued', 'sending') and due_at < ?
       and not exists (select 1 from outbox b where b.run_id = deliveries.id and b.kind = 'deliver')
     order by due_at limit ?`,
  );
  const waiting = db.prepare<[number], { profile: string; n: number; since: number }>(
    `select profile, count(*) as n, min(due_at) as since from deliveries indexed by deliveries_open
     where state in ('queued', 'sending') and state = 'queued' and due_at <= ? group by profile`,
  );
  const busy = db
    .prepare<[number], string>(
      `select distinct profile from deliveries indexed by deliveries_open
       where state in ('queued', 'sending') and due_at <= ?`,
    )
    .pluck();
  const counts = db.prepare<[], DeliveryCount>(
    `select kind, state, count(*) as n from (
       select iif(webhook_id is null, 'push', 'webhook') as kind, state from deliveries indexed by deliveries_open
       where state in ('queued', 'sending') union all
       select iif(webhook_id is null, 'push', 'webhook') as kind, state from deliveries indexed by deliveries_dead
       where state = 'dead')
     group by kind, state`,
  );

  const page = (rows: readonly DeliveryRow[], limit: number, at: (row: DeliveryRow) => number) =>
    pageOf(rows, limit, (last) => [at(last), last.id], deliveryFromRow);

  return {
    /** Null when there is none (any more). */
    findDelivery(id: string): Delivery | null {
      const row = byId.get(id);
      return row === undefined ? null : deliveryFromRow(row);
    },
    /** What its job is made of; null when it is over or gone. */
    deliveryToQueue(id: string): QueuedDelivery | null {
      const row = byId.get(id);
      return row === undefined || row.ended_at !== null
        ? null
        : { id: row.id, profile: row.profile, tries: row.tries };
    },
    /** The newest first. */
    deliveriesOf: (webhookId: string, { limit, cursor }: DeliveriesQuery): Page<Delivery> =>
      page(
        ofWebhook.all(webhookId, ...decodeTimeCursor(cursor, Number.MAX_VALUE), limit + 1),
        limit,
        (row) => row.created_at,
      ),
    /** Dead ones the newest first, the others by when they are due. */
    deliveriesIn({ state, limit, cursor }: OpsDeliveriesQuery): Page<Delivery> {
      return state === "dead"
        ? page(
            dead.all(...decodeTimeCursor(cursor, Number.MAX_VALUE), limit + 1),
            limit,
            (row) => row.ended_at ?? 0,
          )
        : page(open.all(state, ...decodeTimeCursor(cursor, 0), limit + 1), limit, (row) => row.due_at);
    },
    /** Those that should have a live job since before this time, the ones that have waited longest first. */
    openDeliveries: (dueBeforeS: number, limit: number): QueuedDelivery[] => forgotten.all(dueBeforeS, limit),
    /** What waits for a worker, by profile. */
    deliveriesToBegin: (): { profile: string; n: number; since: number }[] => waiting.all(Date.now() / 1000),
    /** Profiles with deliveries that are due in the next seconds or under way. */
    profilesToDeliver: (withinS: number): string[] => busy.all(Date.now() / 1000 + withinS),
    deliveryCounts: (): DeliveryCount[] => counts.all(),
  };
};

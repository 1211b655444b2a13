import type { Delivery } from "../contracts/delivery.ts";
import type { RunHookEvent, Webhook } from "../contracts/webhook.ts";
import { maskUrl } from "./mask-url.ts";

export interface WebhookRow {
  readonly id: string;
  readonly session_id: string;
  readonly run_id: string | null;
  readonly url: string;
  readonly events: string;
  readonly secret: string;
  readonly off_reason: string | null;
  readonly created_at: number;
}

export interface SubscriptionRow {
  readonly id: string;
  readonly owner: string;
  readonly endpoint: string;
  readonly p256dh: string;
  readonly auth: string;
  readonly created_at: number;
}

export interface DeliveryRow {
  readonly id: string;
  readonly webhook_id: string | null;
  readonly subscription_id: string | null;
  readonly session_id: string;
  readonly run_id: string;
  readonly profile: string;
  readonly event: RunHookEvent;
  readonly state: Delivery["state"];
  readonly attempt: number;
  readonly tries: number;
  readonly lost: number;
  readonly worker: string | null;
  readonly http_status: number | null;
  readonly reason: string | null;
  readonly created_at: number;
  readonly due_at: number;
  readonly ended_at: number | null;
}

/** As it may be shown: without the secret, and with an address that gives nothing away. */
export const webhookFromRow = (row: WebhookRow): Webhook => ({
  id: row.id,
  session_id: row.session_id,
  run_id: row.run_id,
  url: maskUrl(row.url),
  events: JSON.parse(row.events) as RunHookEvent[],
  state: row.off_reason === null ? "on" : "off",
  created_at: row.created_at,
});

export const deliveryFromRow = (row: DeliveryRow): Delivery => ({
  id: row.id,
  webhook_id: row.webhook_id,
  subscription_id: row.subscription_id,
  session_id: row.session_id,
  run_id: row.run_id,
  event: row.event,
  state: row.state,
  tries: row.tries,
  http_status: row.http_status,
  reason: row.reason,
  created_at: row.created_at,
  next_try_at: row.state === "queued" ? row.due_at : null,
  ended_at: row.ended_at,
});

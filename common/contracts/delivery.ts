import { z } from "zod";
import { listOf, page } from "./http.ts";
import { IdSchema } from "./ids.ts";
import { RunHookEventSchema, WebhookSchema } from "./webhook.ts";

/** What is told to webhooks and browsers, and how it went. */

export const WebhookList = listOf(WebhookSchema);
export const WebhookAnswer = z.strictObject({ webhook: WebhookSchema });

export const DeliverySchema = z
  .strictObject({
    id: IdSchema.describe("`webhook-id` of the message, the same in every attempt"),
    webhook_id: IdSchema.nullable(),
    subscription_id: IdSchema.nullable().describe("of a browser (Web Push)"),
    session_id: IdSchema,
    run_id: IdSchema,
    event: RunHookEventSchema,
    state: z
      .enum(["queued", "sending", "delivered", "dead"])
      .describe("queued: it waits for its (next) attempt; dead: given up, `retry` asks for it again"),
    tries: z.number().int().nonnegative().describe("attempts that came to an end"),
    http_status: z.number().int().nullable().describe("what the last one was answered"),
    reason: z.string().nullable().describe("why the last one failed"),
    created_at: z.number(),
    next_try_at: z.number().nullable(),
    ended_at: z.number().nullable(),
  })
  .meta({ id: "Delivery" });
export type Delivery = z.infer<typeof DeliverySchema>;
export const DeliveryAnswer = z.strictObject({ delivery: DeliverySchema });
export const DeliveryList = listOf(DeliverySchema);
export const DeliveriesQuery = z.strictObject(page);
export type DeliveriesQuery = z.infer<typeof DeliveriesQuery>;
export const OpsDeliveriesQuery = z.strictObject({
  ...page,
  state: DeliverySchema.shape.state.extract(["queued", "sending", "dead"]).default("dead"),
});
export type OpsDeliveriesQuery = z.infer<typeof OpsDeliveriesQuery>;

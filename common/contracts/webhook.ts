import { z } from "zod";
import { IdSchema } from "./ids.ts";

/** Who is told by HTTP when runs end. No answer holds a secret, but the one that it was made with, or a whole address. */

/** Names of events. `run.waiting`: a run needs an answer. */
export const RUN_HOOK_EVENTS = [
  "run.completed",
  "run.failed",
  "run.cancelled",
  "run.interrupted",
  "run.waiting",
] as const;
export const RunHookEventSchema = z.enum(RUN_HOOK_EVENTS);
export type RunHookEvent = z.infer<typeof RunHookEventSchema>;

/** Standard Webhooks: `whsec_` and 24 to 64 bytes in base64. */
export const WebhookSecretSchema = z
  .string()
  .max(100)
  .regex(/^whsec_(?:[A-Za-z0-9+/]{4}){8,21}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, {
    error: "expected whsec_ and 24 to 64 bytes in base64",
  });

export const CreateWebhookBody = z
  .strictObject({
    url: z.string().min(1).max(2048).describe("http or https, without a user; redirects are not followed"),
    events: z
      .array(RunHookEventSchema)
      .min(1)
      .max(RUN_HOOK_EVENTS.length)
      .optional()
      .describe("all of them when absent"),
    secret: WebhookSecretSchema.optional().describe("one is made when absent"),
  })
  .meta({ id: "CreateWebhook" });
export type CreateWebhookBody = z.infer<typeof CreateWebhookBody>;

export const WebhookSchema = z
  .strictObject({
    id: IdSchema,
    session_id: IdSchema,
    run_id: IdSchema.nullable().describe("null: every run of the session"),
    url: z.string().describe("as far as it is shown: values that may be keys are masked"),
    events: z.array(RunHookEventSchema),
    state: z.enum(["on", "off"]).describe("off: it answered 410, and nothing is sent to it any more"),
    created_at: z.number(),
  })
  .meta({ id: "Webhook" });
export type Webhook = z.infer<typeof WebhookSchema>;

/** `secret`: only where it was made here, and only this once. */
export const MadeWebhookAnswer = z.strictObject({
  webhook: WebhookSchema,
  secret: z.string().nullable().describe("shown this once; null: the one that was given, or a repeat"),
});
export type MadeWebhook = z.infer<typeof MadeWebhookAnswer>;

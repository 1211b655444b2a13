import { z } from "zod";
import { listOf } from "./http.ts";
import { IdSchema } from "./ids.ts";
import { RunHookEventSchema } from "./webhook.ts";

/** Web Push: what a browser says of itself, and what it is told. */

const base64url = (bytes: number) =>
  z.string().regex(new RegExp(`^[A-Za-z0-9_-]{${Math.ceil((bytes * 4) / 3)}}=*$`), {
    error: `expected ${bytes} bytes in base64url`,
  });

/** What `PushSubscription.toJSON()` gives. */
export const PushSubscriptionBody = z
  .strictObject({
    endpoint: z.string().min(1).max(2048),
    expirationTime: z.number().nullable().optional(),
    keys: z.strictObject({ p256dh: base64url(65), auth: base64url(16) }),
  })
  .meta({ id: "PushSubscription" });
export type PushSubscriptionBody = z.infer<typeof PushSubscriptionBody>;

export const PushBrowserSchema = z
  .strictObject({
    id: IdSchema,
    service: z.string().describe("host of its push service"),
    created_at: z.number(),
  })
  .meta({ id: "PushBrowser" });
export type PushBrowser = z.infer<typeof PushBrowserSchema>;
export const PushBrowserAnswer = z.strictObject({ subscription: PushBrowserSchema });
export const PushBrowserList = listOf(PushBrowserSchema);
export const PushAnswer = z.strictObject({
  public_key: z.string().describe("`applicationServerKey` of this server, base64url"),
});
export type PushAnswer = z.infer<typeof PushAnswer>;

/** What is told to a browser, encrypted for it alone. Nothing that was said, except for the session's title. */
export const PushMessageSchema = z.object({
  session_id: IdSchema,
  title: z.string().nullable(),
  event: RunHookEventSchema,
});
export type PushMessage = z.infer<typeof PushMessageSchema>;

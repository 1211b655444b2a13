import { createHmac } from "node:crypto";
import type { ClaimedDelivery } from "../../common/deliveries/delivery-ops.ts";

export interface OutgoingMessage {
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/**
 * A message as the Standard Webhooks specification has it: `webhook-id` is the same in every attempt, the signature covers id, time of
 * this attempt and body. Nothing that was said is in it, and no words of an error: who may read them asks the API.
 */
export const webhookMessage = (
  { delivery, run }: Pick<ClaimedDelivery, "delivery" | "run">,
  { url, secret }: { readonly url: string; readonly secret: string },
  publicUrl: string | null,
  nowMs: number = Date.now(),
): OutgoingMessage => {
  const body = JSON.stringify({
    type: delivery.event,
    timestamp: new Date(delivery.created_at * 1000).toISOString(),
    data: {
      run_id: run.id,
      session_id: run.session_id,
      profile: run.profile,
      model: run.model,
      status: run.status,
      attempt: run.attempt,
      created_at: run.created_at,
      started_at: run.started_at,
      ended_at: run.ended_at,
      error: run.error === null ? null : { code: run.error.code },
      usage: run.usage,
      url: `${publicUrl ?? ""}/s/${run.session_id}`,
    },
  });
  const at = String(Math.floor(nowMs / 1000));
  return {
    target: url,
    headers: {
      "content-type": "application/json",
      "user-agent": "Talaria",
      "webhook-id": delivery.id,
      "webhook-timestamp": at,
      "webhook-signature": `v1,${signatureOf(secret, `${delivery.id}.${at}.${body}`)}`,
    },
    body: Buffer.from(body),
  };
};

const signatureOf = (secret: string, content: string): string =>
  createHmac("sha256", Buffer.from(secret.replace(/^whsec_/, ""), "base64"))
    .update(content)
    .digest("base64");

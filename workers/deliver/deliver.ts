import type { ClaimedDelivery, DeliveryEnd } from "../../common/deliveries/delivery-ops.ts";
import type { VapidKeys } from "../../common/deliveries/vapid-keys.ts";
import type { LifecycleDeps } from "../../common/lifecycle/deps.ts";
import type { Logger } from "../../common/logging/logger.ts";
import { type NoAnswer, type Post, PostError } from "./post.ts";
import { pushMessage, UnusableKeys } from "./push-message.ts";
import { nextDelayS } from "./schedule.ts";
import { type OutgoingMessage, webhookMessage } from "./webhook-message.ts";

export interface DeliverDeps {
  readonly write: Pick<LifecycleDeps["write"], "claimDelivery" | "endDelivery">;
  readonly post: Post;
  readonly vapid: { readonly keys: VapidKeys; readonly contact: string };
  readonly publicUrl: string | null;
  readonly delaysS: readonly number[];
  readonly workerName: string;
  /** Aborts when the worker hands its work back. */
  readonly handBack: AbortSignal;
  readonly log: Logger;
}

/**
 * Makes one attempt of a delivery: at least once, with the same id. A worker that dies between the answer and its mark leaves the
 * attempt unreported, so it is made again. Resolves when nothing is left to do, whatever the receiver did; rejects for
 * infrastructure failures and when it is handed back: the queue then delivers the job again. `profile`: whose queue the job was in.
 */
export const createDeliver = (deps: DeliverDeps): ((id: string, profile: string) => Promise<void>) => {
  const { write, log } = deps;
  return async (id, profile) => {
    const claimed = await write.claimDelivery(id, deps.workerName, profile);
    if (claimed === null) return;
    const ending = await attemptOf(deps, claimed);
    const { session_id, run_id, event, webhook_id, subscription_id } = claimed.delivery;
    const about = { delivery: id, session: session_id, run: run_id, event, webhook_id, subscription_id };
    log.info({ ...about, ...ending }, "a delivery was tried");
    await write.endDelivery(id, claimed.attempt, ending);
  };
};

const attemptOf = async (deps: DeliverDeps, claimed: ClaimedDelivery): Promise<DeliveryEnd> => {
  const tries = claimed.delivery.tries + 1;
  const failed = (status: number | null, reason: string, retryAfter: string | null): DeliveryEnd => {
    const delayS = nextDelayS(deps.delaysS, tries, retryAfter);
    return delayS === null ? { kind: "dead", status, reason } : { kind: "retry", status, reason, delayS };
  };
  const message = messageOf(deps, claimed);
  // Another attempt would not make better keys of them.
  if (message === null) return { kind: "dead", status: null, reason: "unusable_keys" };
  const { target, headers, body } = message;
  try {
    const { status, retryAfter } = await deps.post(target, { headers, body }, deps.handBack);
    if (status >= 200 && status < 300) return { kind: "delivered", status };
    // A push service says 404, too, when a browser has unsubscribed (RFC 8030).
    if (status === 410 || (status === 404 && claimed.target.kind === "push")) return { kind: "gone", status };
    return failed(status, status >= 300 && status < 400 ? "redirected" : "refused", retryAfter);
  } catch (error) {
    if (!(error instanceof PostError)) throw error;
    return failed(null, error.reason satisfies NoAnswer, null);
  }
};

/** Null: nothing can be encrypted for what the browser gave as its keys. */
const messageOf = (deps: DeliverDeps, claimed: ClaimedDelivery): OutgoingMessage | null => {
  if (claimed.target.kind === "webhook") return webhookMessage(claimed, claimed.target, deps.publicUrl);
  try {
    return pushMessage(claimed, claimed.target, deps.vapid);
  } catch (error) {
    if (error instanceof UnusableKeys) return null;
    throw error;
  }
};

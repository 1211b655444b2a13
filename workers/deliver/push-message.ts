import { createECDH, createHash, sign } from "node:crypto";
import ece from "http_ece";
import type { PushMessage } from "../../common/contracts/push.ts";
import type { ClaimedDelivery } from "../../common/deliveries/delivery-ops.ts";
import type { VapidKeys } from "../../common/deliveries/vapid-keys.ts";
import type { OutgoingMessage } from "./webhook-message.ts";

/** How long a push service keeps what it cannot hand over yet, in seconds. */
const KEEP_S = 24 * 3600;
/** How long its proof of who sends holds, in seconds: a day at most (RFC 8292). */
const PROOF_S = 12 * 3600;

/** Nothing can be encrypted for what a browser gave as its keys. */
export class UnusableKeys extends Error {
  constructor(options: ErrorOptions) {
    super("the browser's keys cannot be used", options);
    this.name = "UnusableKeys";
  }
}

/**
 * A message of Web Push, encrypted for the one browser (RFC 8291, `aes128gcm`): session, its title, and what happened. A newer message
 * of a session takes the place of one that has not been handed over. Throws `UnusableKeys`.
 */
export const pushMessage = (
  { delivery, title }: Pick<ClaimedDelivery, "delivery" | "title">,
  browser: { readonly endpoint: string; readonly p256dh: string; readonly auth: string },
  { keys, contact }: { readonly keys: VapidKeys; readonly contact: string },
  nowMs: number = Date.now(),
): OutgoingMessage => {
  const message: PushMessage = { session_id: delivery.session_id, title, event: delivery.event };
  const { endpoint } = browser;
  return {
    target: endpoint,
    headers: {
      "content-type": "application/octet-stream",
      "content-encoding": "aes128gcm",
      ttl: String(KEEP_S),
      urgency: delivery.event === "run.waiting" ? "high" : "normal",
      topic: createHash("sha256").update(delivery.session_id).digest("base64url").slice(0, 32),
      authorization: `vapid t=${proof(endpoint, keys, contact, nowMs)}, k=${keys.publicKey}`,
    },
    body: encrypted(JSON.stringify(message), browser),
  };
};

const encrypted = (text: string, { p256dh, auth }: { readonly p256dh: string; readonly auth: string }) => {
  const privateKey = createECDH("prime256v1");
  privateKey.generateKeys();
  try {
    return ece.encrypt(Buffer.from(text), {
      ...{ version: "aes128gcm", privateKey, dh: p256dh, authSecret: auth },
    });
  } catch (cause) {
    throw new UnusableKeys({ cause });
  }
};

/** Says to the push service who sends (RFC 8292), and to no other one. */
const proof = (endpoint: string, { privateKey }: VapidKeys, contact: string, nowMs: number): string => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = { aud: new URL(endpoint).origin, exp: Math.floor(nowMs / 1000) + PROOF_S, sub: contact };
  const content = `${part({ typ: "JWT", alg: "ES256" })}.${part(claims)}`;
  const signature = sign("sha256", Buffer.from(content), { key: privateKey, dsaEncoding: "ieee-p1363" });
  return `${content}.${signature.toString("base64url")}`;
};

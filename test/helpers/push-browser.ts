import { createDecipheriv, createECDH, createPublicKey, hkdfSync, randomBytes, verify } from "node:crypto";
import type { Received } from "./hook-receiver.ts";

/** A browser's side of Web Push, written from RFC 8188, 8291 and 8292 alone. */
export interface PushBrowser {
  /** What it gives the server. */
  subscription(endpoint: string): {
    readonly endpoint: string;
    readonly expirationTime: null;
    readonly keys: { readonly p256dh: string; readonly auth: string };
  };
  /** Throws for what is not for it. */
  read(body: Buffer): unknown;
}

export const createPushBrowser = (): PushBrowser => {
  const ecdh = createECDH("prime256v1");
  ecdh.generateKeys();
  const auth = randomBytes(16);
  const own = ecdh.getPublicKey();
  return {
    subscription: (endpoint) => ({
      ...{ endpoint, expirationTime: null },
      keys: { p256dh: own.toString("base64url"), auth: auth.toString("base64url") },
    }),
    read: (body) => {
      const salt = body.subarray(0, 16);
      const idLength = body.readUInt8(20);
      const sender = body.subarray(21, 21 + idLength);
      const sealed = body.subarray(21 + idLength);
      if (body.readUInt32BE(16) < sealed.length) throw new Error("more than one record");
      const info = Buffer.concat([Buffer.from("WebPush: info\0"), own, sender]);
      const ikm = Buffer.from(hkdfSync("sha256", ecdh.computeSecret(sender), auth, info, 32));
      const key = Buffer.from(hkdfSync("sha256", ikm, salt, "Content-Encoding: aes128gcm\0", 16));
      const nonce = Buffer.from(hkdfSync("sha256", ikm, salt, "Content-Encoding: nonce\0", 12));
      const decipher = createDecipheriv("aes-128-gcm", key, nonce);
      decipher.setAuthTag(sealed.subarray(-16));
      const padded = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
      const end = padded.lastIndexOf(2);
      return JSON.parse(padded.subarray(0, end).toString());
    },
  };
};

/** What a push service reads in the proof of who sends; throws where the signature is not the key's. */
export const readProof = ({
  headers,
}: Pick<Received, "headers">): {
  readonly key: string;
  readonly claims: { readonly aud: string; readonly exp: number; readonly sub: string };
} => {
  const [, token = "", key = ""] = /^vapid t=([\w.-]+), k=([\w-]+)$/.exec(headers.authorization ?? "") ?? [];
  const [head = "", claims = "", signature = ""] = token.split(".");
  const point = Buffer.from(key, "base64url");
  const x = point.subarray(1, 33).toString("base64url");
  const y = point.subarray(33).toString("base64url");
  const publicKey = createPublicKey({ key: { kty: "EC", crv: "P-256", x, y }, format: "jwk" });
  const isTrue = verify(
    "sha256",
    Buffer.from(`${head}.${claims}`),
    { key: publicKey, dsaEncoding: "ieee-p1363" },
    Buffer.from(signature, "base64url"),
  );
  if (!isTrue) throw new Error("the proof is not the key's");
  return { key, claims: JSON.parse(Buffer.from(claims, "base64url").toString()) };
};

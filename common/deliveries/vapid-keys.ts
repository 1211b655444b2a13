import { createPrivateKey, generateKeyPairSync, type JsonWebKey, type KeyObject } from "node:crypto";
import { join } from "node:path";
import { madeOnce } from "../secrets/made-once.ts";

/** What push services know this server by (RFC 8292). Browsers subscribe to one key: another one would reach none of them. */
export interface VapidKeys {
  /** Uncompressed P-256 point, base64url: `applicationServerKey` of the page. */
  readonly publicKey: string;
  readonly privateKey: KeyObject;
}

/** Where a deployment keeps them. */
export const vapidKeysFile = (stateDir: string): string => join(stateDir, "push-key.json");

/** Reads the key (mode 0600), or makes it; of several processes that make one, all get the same. */
export const loadVapidKeys = async (path: string): Promise<VapidKeys> => {
  const text = await madeOnce(path, () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    return `${JSON.stringify(privateKey.export({ format: "jwk" }))}\n`;
  });
  return keysOf(path, text.toString());
};

const keysOf = (path: string, text: string): VapidKeys => {
  try {
    const jwk = JSON.parse(text) as JsonWebKey;
    const privateKey = createPrivateKey({ key: jwk, format: "jwk" });
    const point = [jwk.x, jwk.y].map((part) => Buffer.from(String(part), "base64url"));
    const publicKey = Buffer.concat([Buffer.of(4), ...point]);
    if (jwk.crv !== "P-256" || publicKey.length !== 65) throw new Error("another curve");
    return { publicKey: publicKey.toString("base64url"), privateKey };
  } catch {
    // What was read is a secret: nothing of it is repeated.
    throw new Error(
      `${path} holds no P-256 key; it is made anew when it is removed, and browsers must subscribe again`,
    );
  }
};

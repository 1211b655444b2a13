import {
  createPrivateKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  randomBytes,
} from "node:crypto";
import { link, mkdir, open, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

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
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const found = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (found !== null) return keysOf(path, found);
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const temporary = `${path}.${randomBytes(8).toString("hex")}`;
  const handle = await open(temporary, "wx", 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(privateKey.export({ format: "jwk" }))}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  // A link never replaces: the first one stays.
  await link(temporary, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  await rm(temporary, { force: true });
  return keysOf(path, await readFile(path, "utf8"));
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

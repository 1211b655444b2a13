import { createHmac, randomBytes } from "node:crypto";
import { join } from "node:path";
import { madeOnce } from "../secrets/made-once.ts";
import type { ProfileFiles } from "./files.ts";

/** Secret of a deployment: without it nobody can try keys against a revision. */
export type Salt = Uint8Array;

const SALT_BYTES = 32;

/** Where a deployment keeps its salt. */
export const saltFile = (stateDir: string): string => join(stateDir, "profiles.salt");

/**
 * Tells one state of a profile's `config.yaml`, `.env` and `SOUL.md` from another (P-4), and nothing else about them: what is stored
 * and shown is a keyed hash over keyed hashes, so no value can be found from it. `env`: what the `.env` says.
 */
export const revisionOf = (
  salt: Salt,
  { config, soul }: Pick<ProfileFiles, "config" | "soul">,
  env: Readonly<Record<string, string>>,
): string => {
  const keyed = (text: string): string => createHmac("sha256", salt).update(text).digest("base64url");
  const variables = Object.keys(env)
    .sort()
    .map((name) => [name, keyed(`${name}=${env[name]}`)]);
  return keyed(JSON.stringify([keyed(config), variables, keyed(soul)])).slice(0, 16);
};

/** Reads the salt, or makes it; of several processes that make one, all get the same. */
export const loadSalt = (path: string): Promise<Salt> => madeOnce(path, () => randomBytes(SALT_BYTES));

import { createHmac } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { TalariaError } from "../base/errors.ts";
import { readProfileFile } from "./read.ts";
import type { Salt } from "./revision.ts";
import { replaceFile } from "./write.ts";

/** A key, and the origin that it may be sent to. */
export interface SavedKey {
  readonly name: string;
  readonly value: string;
  readonly origin: string;
}

/** In place of an origin: the first one that the profile sends the key to. */
export const UNCLAIMED = "";

/** Which origins keys were saved for (security-contract 11). */
export interface KeyOrigins {
  /** Empty: nobody said. */
  of(name: string, value: string): readonly string[];
  /** Adds to what is known; on the disk when it resolves. A key that has an origin now is unclaimed no more. */
  remember(saved: readonly SavedKey[]): Promise<void>;
}

/** Where a deployment keeps them: beside the lock under which they are changed. */
export const keyOriginsFile = (lockFile: string): string => join(dirname(lockFile), "key-origins.json");

const MAX_BYTES = 1024 * 1024;
/** The oldest ones go: such a key has to be set anew when its profile moves. */
const MAX_KEYS = 2_000;
const FileSchema = z.record(z.string(), z.array(z.string()));

/**
 * Reads the file; to be used inside the lock. It holds keyed hashes of names and values, so no key can be found from it, and a value that
 * somebody changed by hand is another one. Rejects with `store_unavailable` when it is there and cannot be understood.
 */
export const loadKeyOrigins = async (path: string, salt: Salt): Promise<KeyOrigins> => {
  const folder = dirname(path);
  const options = { folder, file: basename(path), what: basename(path), maxBytes: MAX_BYTES };
  const refuse = (cause: unknown): never => {
    throw new TalariaError("store_unavailable", `${basename(path)} cannot be read`, { cause });
  };
  const read = () => readProfileFile({ ...options, links: "inside" }).catch(refuse);
  let before = await read();
  const known = new Map(Object.entries(before === null ? {} : parse(before.bytes, refuse)));
  const markOf = (name: string, value: string): string =>
    createHmac("sha256", salt).update(`key origin ${name}=${value}`).digest("base64url").slice(0, 22);

  return {
    of: (name, value) => known.get(markOf(name, value)) ?? [],

    async remember(saved) {
      const fresh = saved.filter(({ name, value, origin }) => {
        const origins = known.get(markOf(name, value)) ?? [];
        return !origins.includes(origin) || (origin !== UNCLAIMED && origins.includes(UNCLAIMED));
      });
      if (fresh.length === 0) return;
      for (const { name, value, origin } of fresh) {
        const mark = markOf(name, value);
        const origins = [
          ...(known.get(mark) ?? []).filter((one) => one !== UNCLAIMED && one !== origin),
          origin,
        ];
        // Last in the file is what was saved last.
        known.delete(mark);
        known.set(mark, origins);
      }
      const text = JSON.stringify(Object.fromEntries([...known].slice(-MAX_KEYS)), null, 1);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      if (!(await replaceFile({ path, bytes: Buffer.from(`${text}\n`), mode: 0o600, before })))
        throw new TalariaError("conflict", `${basename(path)} is being changed by another program`);
      before = await read();
    },
  };
};

const parse = (bytes: Uint8Array, refuse: (cause: unknown) => never): Record<string, string[]> => {
  try {
    return FileSchema.parse(JSON.parse(Buffer.from(bytes).toString("utf8")));
  } catch (cause) {
    return refuse(cause);
  }
};

import { constants } from "node:fs";
import { lstat, open, realpath } from "node:fs/promises";
import { join, sep } from "node:path";
import { TalariaError } from "../base/errors.ts";
import { MAX_SOUL_BYTES } from "../contracts/profile-rules.ts";

/** A file of a profile as it was read; a writer replaces it only while it still is this one. */
export interface ProfileFile {
  /** Without links. */
  readonly path: string;
  readonly bytes: Buffer;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly stamp: string;
}

export interface ReadOptions {
  /** The folder of the profile. */
  readonly folder: string;
  readonly file: string;
  /** Names the file in errors. */
  readonly what: string;
  /** A larger file is refused, or with `cut` read up to here. */
  readonly maxBytes: number;
  readonly cut?: boolean;
  /** Whether a link may lead out of the profile: only the owner's own home, and only to be read. */
  readonly links: "inside" | "anywhere";
}

/** Where the files of a profile end; what is larger is no configuration. */
export const MAX_ENV_BYTES = 256 * 1024;
export const MAX_CONFIG_BYTES = 1024 * 1024;
/** A longer SOUL.md than a run uses is kept, copied and replaced as a whole. */
export const MAX_WRITTEN_SOUL_BYTES = MAX_SOUL_BYTES * 40;

/**
 * Reads a regular file of a profile, bounded; null when there is none. Rejects with `profile_unavailable` for whatever else
 * is there: a folder, a device, a link out of the profile (P-1), a file that is too large or must not be read (P-6).
 */
export const readProfileFile = async (options: ReadOptions): Promise<ProfileFile | null> => {
  const { folder, file, what } = options;
  const refuse = (why: string, cause?: unknown): never => {
    throw new TalariaError("profile_unavailable", `${what} ${why}`, { cause });
  };
  try {
    const path = await unlinked(join(folder, file), options, refuse);
    return path === null ? null : await readRegular(path, options, refuse);
  } catch (error) {
    if (error instanceof TalariaError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? "unknown";
    return code === "ENOENT" ? null : refuse(`cannot be read (${code})`, error);
  }
};

/** As UTF-8 without its byte order mark. Other encodings are refused: rewriting the file would destroy them. */
export const textOf = (file: ProfileFile | null, what: string): string => {
  if (file === null) return "";
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(file.bytes);
  } catch (cause) {
    throw new TalariaError("profile_unavailable", `${what} is no UTF-8 text`, { cause });
  }
};

/** Changes whenever somebody replaces or writes the file; null: there is none. */
export const stampOf = async (path: string): Promise<string | null> => {
  try {
    return stampFrom(await lstat(path, { bigint: true }));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
};

const stampFrom = (stat: { dev: bigint; ino: bigint; size: bigint; mtimeNs: bigint; ctimeNs: bigint }) =>
  [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(":");

type Refuse = (why: string, cause?: unknown) => never;

const unlinked = async (path: string, options: ReadOptions, refuse: Refuse): Promise<string | null> => {
  if (!(await lstat(path)).isSymbolicLink()) return path;
  const real = await realpath(path).catch((error: NodeJS.ErrnoException) =>
    refuse(`is a link to nothing (${error.code})`, error),
  );
  const inside = real.startsWith((await realpath(options.folder)) + sep);
  if (!inside && options.links === "inside") refuse("is a link that leads out of the profile");
  return real;
};

const readRegular = async (path: string, options: ReadOptions, refuse: Refuse): Promise<ProfileFile> => {
  const { maxBytes, cut = false } = options;
  // O_NONBLOCK: opening a pipe would wait for its writer.
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = await handle.stat({ bigint: true });
    if (!stat.isFile()) refuse("is no regular file");
    if (stat.size > maxBytes && !cut) refuse(`is larger than ${maxBytes / 1024} KB`);
    const buffer = Buffer.alloc(Math.min(Number(stat.size), maxBytes) + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
      length += bytesRead;
      if (bytesRead === 0 || length === buffer.length) break;
    }
    // It grew while it was read.
    if (length > maxBytes && !cut) refuse(`is larger than ${maxBytes / 1024} KB`);
    return {
      path,
      bytes: buffer.subarray(0, length),
      mode: Number(stat.mode) & 0o777,
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      stamp: stampFrom(stat),
    };
  } finally {
    await handle.close();
  }
};

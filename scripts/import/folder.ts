import { constants } from "node:fs";
import { lstat, open, readdir, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { messageOf } from "../../common/base/errors.ts";
import { UsageError } from "./arguments.ts";

/** Files above this are refused: a transcript of that size is a mistake or an attack. */
export const MAX_FILE_BYTES = 64 * 1024 * 1024;

export interface SessionsFolder {
  /** Everything in the folder but folders, sorted by name. */
  readonly names: readonly string[];
  /** The text of one of them; it may have changed since, so every reading checks again. */
  read(name: string): Promise<FileText>;
}

export type FileText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly reason: string };

/**
 * The folder with the session files: the given one, or `sessions` in it. Throws `UsageError` where there is none, or where
 * it is a link to somewhere else.
 */
export const openSessionsFolder = async (given: string): Promise<SessionsFolder> => {
  const outer = await realpath(given).catch(() => given);
  const root = await sessionsIn(outer);
  const entries = await readdir(root, { withFileTypes: true }).catch((error: unknown) => {
    throw new UsageError(`the folder cannot be read: ${messageOf(error)}`);
  });
  const names = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
  return { names: names.sort(), read: (name) => readInside(root, name) };
};

const sessionsIn = async (outer: string): Promise<string> => {
  const inner = join(outer, "sessions");
  const isFolder = await stat(inner).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) return outer;
  const real = await realpath(inner);
  if (!real.startsWith(outer + sep)) throw new UsageError(`${inner} is a link that leads out of the folder`);
  return real;
};

/** Links are followed inside of the folder only; whatever is opened is looked at again before it is read. */
const readInside = async (root: string, name: string): Promise<FileText> => {
  try {
    let path = join(root, name);
    if ((await lstat(path)).isSymbolicLink()) {
      path = await realpath(path);
      if (!path.startsWith(root + sep)) return refused("is a link that leads out of the folder");
    }
    // Not to wait for the writer of a pipe, nor to follow a link that came in between.
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const found = await handle.stat();
      if (!found.isFile()) return refused("is no regular file");
      if (found.size > MAX_FILE_BYTES)
        return refused(`is larger than ${MAX_FILE_BYTES / 1024 / 1024} MB (${found.size} bytes)`);
      return { ok: true, text: await handle.readFile("utf8") };
    } finally {
      await handle.close();
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return refused(`cannot be read${code === undefined ? "" : ` (${code})`}`);
  }
};

const refused = (reason: string): FileText => ({ ok: false, reason });

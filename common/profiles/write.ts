import { randomBytes } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type ProfileFile, stampOf } from "./read.ts";

export interface NewContent {
  /** Absolute, without links. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly mode: number;
  /** The file whose place it takes; null: there must be none. */
  readonly before: ProfileFile | null;
}

/**
 * Replaces a file whole or not at all: a temporary file beside it, flushed, renamed over it. Resolves with false, having changed
 * nothing, when the file is not the one any more that the new content was made from.
 */
export const replaceFile = async ({ path, bytes, mode, before }: NewContent): Promise<boolean> => {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(8).toString("hex")}.tmp`);
  try {
    const handle = await open(temporary, "wx", mode);
    try {
      await handle.writeFile(bytes);
      // The process' umask has no say, and whoever owned the file owns it still.
      await handle.chmod(mode);
      if (before !== null) await keepOwner(handle, before);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if ((await stampOf(path)) !== (before?.stamp ?? null)) return false;
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
  await syncFolder(dirname(path));
  return true;
};

/** Makes renames in a folder survive a power loss. */
export const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

const keepOwner = async (handle: FileHandle, { uid, gid }: ProfileFile): Promise<void> => {
  const now = await handle.stat();
  if (now.uid === uid && now.gid === gid) return;
  // Only a privileged process may; for others the file becomes theirs, as with every editor.
  await handle.chown(uid, gid).catch(() => undefined);
};

import { join } from "node:path";
import { TalariaError } from "../base/errors.ts";
import { whatOf } from "./files.ts";
import { type ProfileFile, readProfileFile, textOf } from "./read.ts";
import { replaceFile } from "./write.ts";

/** A change of one file; text in, text out. `change` answers null when nothing is to be written. */
export interface FileEdit {
  readonly file: ".env" | "config.yaml" | "profile.yaml" | "SOUL.md";
  readonly maxBytes: number;
  change(text: string, what: string): string | null;
}

/** Other programs edit these files, too, and know nothing of our lock. */
const TRIES = 5;

/**
 * Changes files of one profile. Everything is read and worked out before the first file is touched, so a fault in one leaves all
 * as they were; each file is then replaced whole. What somebody else saved in the meantime is never lost: then the edit begins
 * anew. To be called inside the lock. Rejects with `profile_unavailable` for a file that cannot be understood (P-6).
 */
export const editFiles = async (folder: string, name: string, edits: readonly FileEdit[]): Promise<void> => {
  const prepared = await Promise.all(edits.map((edit) => prepare(folder, name, edit)));
  for (const [index, first] of prepared.entries()) {
    const edit = edits[index];
    let content = first;
    for (let tries = 1; content !== null && edit !== undefined; tries++) {
      if (await write(content, whatOf(edit.file, name))) break;
      if (tries === TRIES)
        throw new TalariaError("conflict", `${whatOf(edit.file, name)} is being changed by another program`);
      content = await prepare(folder, name, edit);
    }
  }
};

interface Prepared {
  readonly path: string;
  readonly text: string;
  readonly mode: number;
  readonly before: ProfileFile | null;
}

const prepare = async (folder: string, name: string, edit: FileEdit): Promise<Prepared | null> => {
  const { file, maxBytes } = edit;
  const what = whatOf(file, name);
  const before = await readProfileFile({ folder, file, what, maxBytes, links: "inside" });
  const old = textOf(before, what);
  const text = edit.change(old, what);
  if (text === null || (text === old && before !== null)) return null;
  // Keys are nobody else's; other files keep what their owner gave them.
  const mode = file === ".env" ? 0o600 : (before?.mode ?? 0o600);
  return { path: before?.path ?? join(folder, file), text, mode, before };
};

const write = async ({ path, text, mode, before }: Prepared, what: string): Promise<boolean> => {
  try {
    return await replaceFile({ path, bytes: Buffer.from(text), mode, before });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown";
    if (code === "ENOSPC") throw error;
    throw new TalariaError("profile_unavailable", `${what} cannot be written (${code})`, { cause: error });
  }
};

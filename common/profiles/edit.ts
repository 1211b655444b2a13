import { join } from "node:path";
import { TalariaError } from "../base/errors.ts";
import { readFileOf, whatOf } from "./files.ts";
import { type ProfileFile, readProfileFile, textOf } from "./read.ts";
import { replaceFile } from "./write.ts";

type FileName = ".env" | "config.yaml" | "profile.yaml" | "SOUL.md";

/** The texts of all files of one edit, as they were read; a file that is not part of it is "". */
export type Texts = (file: FileName) => string;

/** A change of one file; text in, text out. `change` answers null when nothing is to be written. */
export interface FileEdit {
  readonly file: FileName;
  readonly maxBytes: number;
  change(text: string, what: string, texts: Texts): string | null;
}

/** Other programs edit these files, too, and know nothing of our lock. */
const TRIES = 5;

/**
 * Changes files of one profile, in the order given. Everything is read and worked out before the first file is touched, so a fault in one
 * leaves all as they were; each file is then replaced whole. What somebody else saved in the meantime is never lost: then the edit
 * begins anew, with all files, so `change` is given the outcome of its own work at times. `prepared` is awaited between working out and
 * writing. To be called inside the lock. Rejects with `profile_unavailable` for a file that cannot be understood (P-6).
 */
export const editFiles = async (
  folder: string,
  name: string,
  edits: readonly FileEdit[],
  prepared: () => Promise<void> = async () => undefined,
): Promise<void> => {
  for (let tries = 1; ; tries++) {
    const contents = await prepare(folder, name, edits);
    await prepared();
    const changed = await writeAll(contents);
    if (changed === null) return;
    if (tries === TRIES) throw new TalariaError("conflict", `${changed} is being changed by another program`);
  }
};

interface Prepared {
  readonly what: string;
  readonly path: string;
  readonly text: string;
  readonly mode: number;
  readonly before: ProfileFile | null;
}

const prepare = async (
  folder: string,
  name: string,
  edits: readonly FileEdit[],
): Promise<readonly Prepared[]> => {
  const read = await Promise.all(
    edits.map(async (edit) => {
      const before = await readFileOf(folder, name, edit);
      return { edit, before, what: whatOf(edit.file, name), text: textOf(before, whatOf(edit.file, name)) };
    }),
  );
  const texts: Texts = (file) => read.find(({ edit }) => edit.file === file)?.text ?? "";
  const contents: Prepared[] = [];
  for (const { edit, before, what, text: old } of read) {
    const text = edit.change(old, what, texts);
    if (text === null || (text === old && before !== null)) continue;
    // What may be read through a link is not written through it.
    if (before !== null) await readProfileFile({ ...edit, folder, what, links: "inside" });
    // Keys are nobody else's; other files keep what their owner gave them.
    const mode = edit.file === ".env" ? 0o600 : (before?.mode ?? 0o600);
    contents.push({ what, path: before?.path ?? join(folder, edit.file), text, mode, before });
  }
  return contents;
};

/** The first file that somebody else changed, which and those after it are not written; null: there was none. */
const writeAll = async (contents: readonly Prepared[]): Promise<string | null> => {
  for (const content of contents) if (!(await write(content))) return content.what;
  return null;
};

const write = async ({ what, path, text, mode, before }: Prepared): Promise<boolean> => {
  try {
    return await replaceFile({ path, bytes: Buffer.from(text), mode, before });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown";
    if (code === "ENOSPC") throw error;
    throw new TalariaError("profile_unavailable", `${what} cannot be written (${code})`, { cause: error });
  }
};

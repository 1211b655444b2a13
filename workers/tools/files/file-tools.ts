import { randomBytes } from "node:crypto";
import { lstat, opendir, rename, unlink } from "node:fs/promises";
import { z } from "zod";
import { defineTool, failed, succeeded, type Tool, type ToolResult } from "../tool.ts";
import { type ConfinedDirectory, withDirectory } from "./confined.ts";
import { isDeniedName, PathRefused, splitPath } from "./names.ts";
import { readLines } from "./read-lines.ts";

export interface FileToolsOptions {
  /** Absolute directories that are refused even inside a workspace: profile homes, the server's state. */
  readonly deniedDirs?: readonly string[];
}

const MAX_ENTRIES = 1000;
const MAX_WRITE_BYTES = 4 * 1024 * 1024;
const MAX_READ_LINES = 2000;

const Path = z.string().max(4096);

/** list_files, read_file and write_file, confined to the run's workspace (security-contract 9). */
export const createFileTools = ({ deniedDirs: denied = [] }: FileToolsOptions = {}): readonly Tool[] => [
  defineTool({
    name: "list_files",
    description: "Lists one folder of the workspace: folders end in '/', files show their size in bytes.",
    parameters: z.object({ path: Path.default("").describe("Folder, relative to the workspace") }),
    idempotent: true,
    run: ({ path }, { workspace }) =>
      explained(path, () => withDirectory(workspace, splitPath(path, workspace), { denied }, list)),
  }),
  defineTool({
    name: "read_file",
    description: "Reads a text file of the workspace. Long files are read in parts, by line numbers.",
    parameters: z.object({
      path: Path.describe("File, relative to the workspace"),
      offset: z.number().int().min(1).default(1).describe("First line, counted from 1"),
      limit: z.number().int().min(1).max(MAX_READ_LINES).default(MAX_READ_LINES).describe("Lines at most"),
    }),
    idempotent: true,
    run: ({ path, offset, limit }, { workspace, signal }) =>
      explained(path, async () => {
        const { folders, name } = splitFile(path, workspace);
        return withDirectory(workspace, folders, { denied }, async (directory) => {
          const file = await directory.openFile(name);
          try {
            return await readLines(file, { offset, limit, signal });
          } finally {
            await file.close();
          }
        });
      }),
  }),
  defineTool({
    name: "write_file",
    description: "Writes a text file of the workspace, as a whole. Missing folders are made.",
    parameters: z.object({
      path: Path.describe("File, relative to the workspace"),
      content: z.string().describe("The whole new content"),
    }),
    idempotent: true,
    run: ({ path, content }, { workspace }) =>
      explained(path, async () => {
        const bytes = Buffer.from(content, "utf8");
        if (bytes.length > MAX_WRITE_BYTES)
          return failed(`The content has ${bytes.length} bytes; at most ${MAX_WRITE_BYTES} are written.`);
        const { folders, name } = splitFile(path, workspace);
        await withDirectory(workspace, folders, { denied, create: true }, (directory) =>
          replaceFile(directory, name, bytes),
        );
        return succeeded(`Wrote ${bytes.length} bytes to ${[...folders, name].join("/")}.`);
      }),
  }),
];

const splitFile = (path: string, workspace: string): { folders: readonly string[]; name: string } => {
  const names = splitPath(path, workspace);
  const name = names.at(-1);
  if (name === undefined || path.endsWith("/")) throw new PathRefused("The path names no file.");
  return { folders: names.slice(0, -1), name };
};

const list = async (directory: ConfinedDirectory): Promise<ToolResult> => {
  const lines: string[] = [];
  let more = false;
  for await (const { name } of await opendir(directory.path)) {
    if (isDeniedName(name)) continue;
    if (lines.length === MAX_ENTRIES) {
      more = true;
      break;
    }
    const found = await lstat(directory.child(name)).catch(() => null);
    if (found === null) continue;
    if (found.isDirectory()) lines.push(`${printable(name)}/`);
    else if (found.isSymbolicLink()) lines.push(`${printable(name)} (link, not followed)`);
    else if (found.isFile()) lines.push(`${printable(name)} ${found.size}`);
  }
  lines.sort();
  if (more) lines.push(`(more than ${MAX_ENTRIES} entries; the rest is left out)`);
  return succeeded(lines.length === 0 ? "(empty)" : lines.join("\n"));
};

/** One entry stays one line, whatever its name holds. */
const printable = (name: string): string =>
  /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$/u.test(name) ? name : JSON.stringify(name);

/** Writes beside the target and renames, so that a reader sees the old content or the new, and a link is never written through. */
const replaceFile = async (directory: ConfinedDirectory, name: string, bytes: Buffer): Promise<void> => {
  const existing = await lstat(directory.child(name)).catch(() => null);
  if (existing !== null && !existing.isFile())
    throw new PathRefused(`"${name}" exists and is not a regular file.`);
  const temporary = `.talaria-${randomBytes(8).toString("hex")}.tmp`;
  const file = await directory.createFile(temporary, 0o600);
  try {
    await file.writeFile(bytes);
    await file.chmod(existing === null ? 0o644 : existing.mode & 0o777);
    await file.sync();
    await rename(directory.child(temporary), directory.child(name));
  } catch (error) {
    await unlink(directory.child(temporary)).catch(() => undefined);
    throw error;
  } finally {
    await file.close();
  }
};

const EXPLANATIONS: Readonly<Record<string, string>> = {
  ENOENT: "does not exist",
  ENOTDIR: "goes through something that is not a folder",
  EISDIR: "is a folder",
  ELOOP: "goes through a symbolic link; links are not followed",
  EACCES: "may not be accessed",
  EPERM: "may not be changed",
  EROFS: "is on a read-only file system",
  ENOSPC: "cannot be written: the disk is full",
  EDQUOT: "cannot be written: the quota is used up",
  EMFILE: "cannot be opened now: too many open files",
};

/** Turns refusals and file system errors into results; messages name the path as the model gave it, never ours. */
const explained = async (path: string, work: () => Promise<ToolResult>): Promise<ToolResult> => {
  try {
    return await work();
  } catch (error) {
    if (error instanceof PathRefused) return failed(error.message);
    const explanation = EXPLANATIONS[(error as NodeJS.ErrnoException).code ?? ""];
    if (explanation === undefined) throw error;
    return failed(`"${path || "."}" ${explanation}.`);
  }
};

import { existsSync, constants as fsConstants } from "node:fs";
import { type FileHandle, lstat, mkdir, open, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { PathRefused } from "./names.ts";

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = fsConstants;

/** Linux names what a process holds open, so a name can be opened under a directory that nobody can swap any more. */
const HAS_FD_PATHS = existsSync("/proc/self/fd");

/** A directory of the workspace that is held open, with no link on the way to it. */
export class ConfinedDirectory {
  private readonly handle: FileHandle;
  private readonly realPath: string;

  constructor(handle: FileHandle, realPath: string) {
    this.handle = handle;
    this.realPath = realPath;
  }

  /** A path to this directory, for calls that only take one. */
  get path(): string {
    return HAS_FD_PATHS ? `/proc/self/fd/${this.handle.fd}` : this.realPath;
  }

  /** A path to `name` in this directory. Whoever opens it does so without following a link. */
  child(name: string): string {
    return `${this.path}/${name}`;
  }

  /** Opens the subdirectory `name`; with `create` it is made when it is missing. */
  async enter(name: string, create: boolean): Promise<ConfinedDirectory> {
    if (create) await mkdir(this.child(name), { mode: 0o755 }).catch(ignoreCode("EEXIST"));
    const found = await lstat(this.child(name));
    if (found.isSymbolicLink()) throw linkRefused(name);
    if (!found.isDirectory()) throw new PathRefused(`"${name}" is not a folder.`);
    const handle = await open(this.child(name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    const entered = new ConfinedDirectory(handle, join(this.realPath, name));
    if (!HAS_FD_PATHS && (await realpath(entered.realPath)) !== entered.realPath) {
      await entered.close();
      throw linkRefused(name);
    }
    return entered;
  }

  /** Opens the regular file `name` for reading. */
  async openFile(name: string): Promise<FileHandle> {
    const found = await lstat(this.child(name));
    if (found.isSymbolicLink()) throw linkRefused(name);
    if (!found.isFile()) throw notRegular(name);
    // Not to hang when the file was swapped for a FIFO just now; what was really opened is asked again.
    const handle = await open(this.child(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if ((await handle.stat()).isFile()) return handle;
    await handle.close();
    throw notRegular(name);
  }

  /** Creates the file `name`, which must not exist in any form. */
  createFile(name: string, mode: number): Promise<FileHandle> {
    return open(this.child(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  }

  /** `dev:ino`, the same for the same directory under any name. */
  async identity(): Promise<string> {
    return identityOf(await this.handle.stat());
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}

export interface WalkOptions {
  /** Make missing directories. */
  readonly create?: boolean;
  /** Absolute directories that are refused even inside the workspace (profile homes, our state). */
  readonly denied?: readonly string[];
}

/**
 * Opens the directory at `names` under `workspace`, one component at a time and none of them a link, and hands it to
 * `work`. Every later access goes through what is held open, so swapping a directory for a link changes nothing.
 */
export const withDirectory = async <T>(
  workspace: string,
  names: readonly string[],
  options: WalkOptions,
  work: (directory: ConfinedDirectory) => Promise<T>,
): Promise<T> => {
  const denied = await identities(options.denied ?? []);
  const root = await realpath(workspace);
  let directory = new ConfinedDirectory(await open(root, O_RDONLY | O_DIRECTORY), root);
  try {
    for (const name of names) {
      const next = await directory.enter(name, options.create ?? false);
      await directory.close();
      directory = next;
      if (denied.has(await directory.identity()))
        throw new PathRefused(`"${name}" holds the server's own state; tools do not touch it.`);
    }
    return await work(directory);
  } finally {
    await directory.close();
  }
};

const identities = async (paths: readonly string[]): Promise<ReadonlySet<string>> => {
  const found = await Promise.all(paths.map((path) => stat(path).then(identityOf, () => null)));
  return new Set(found.filter((identity) => identity !== null));
};

const identityOf = (stats: { dev: number; ino: number }): string => `${stats.dev}:${stats.ino}`;

const linkRefused = (name: string): PathRefused =>
  new PathRefused(`"${name}" is a symbolic link; links are not followed.`);

const notRegular = (name: string): PathRefused => new PathRefused(`"${name}" is not a regular file.`);

const ignoreCode =
  (code: string) =>
  (error: unknown): void => {
    if ((error as NodeJS.ErrnoException).code !== code) throw error;
  };

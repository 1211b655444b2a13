import { lstat, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { FRESH, TRASH } from "./folders.ts";
import { createLock } from "./lock.ts";
import { listProfiles, profileHome } from "./names.ts";

/** What `replaceFile` writes before it renames; of `.env` it holds keys. */
const TEMPORARY = /^\..+\.[0-9a-f]{16}\.tmp$/;

/**
 * Removes what interrupted deletions and edits of profiles left: folders on their way out, folders that never became a profile, temporary
 * files. Only what nothing was done to for `olderThanMs`, and under the lock of those who make it. Resolves with how many.
 */
export const removeLeftovers = async (
  home: string,
  lockFile: string,
  olderThanMs: number,
): Promise<number> => {
  const root = join(home, "profiles");
  const before = Date.now() - olderThanMs;
  const leftIn = async (folder: string, isLeft: (name: string) => boolean): Promise<string[]> => {
    const names = await readdir(folder).catch(() => []);
    const paths = names.filter(isLeft).map((name) => join(folder, name));
    const ages = await Promise.all(paths.map(async (path) => (await lstat(path).catch(() => null))?.ctimeMs));
    return paths.filter((_path, index) => (ages[index] ?? Number.POSITIVE_INFINITY) < before);
  };
  const look = async (): Promise<readonly string[]> => {
    const homes = await Promise.all(
      (await listProfiles(home)).map((name) => profileHome(home, name).catch(() => null)),
    );
    const found = await Promise.all([
      leftIn(root, (name) => name.startsWith(TRASH) || name.startsWith(FRESH)),
      ...homes.flatMap((folder) => (folder === null ? [] : [leftIn(folder, (name) => TEMPORARY.test(name))])),
    ]);
    return found.flat();
  };
  // Mostly there is nothing, and then nobody is kept waiting.
  if ((await look()).length === 0) return 0;
  return createLock(lockFile)(async () => {
    const left = await look();
    for (const path of left) await rm(path, { recursive: true, force: true, maxRetries: 3 });
    return left.length;
  });
};

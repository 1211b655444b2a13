import { lstat, readdir, realpath } from "node:fs/promises";
import { join, sep } from "node:path";
import { messageOf, TalariaError } from "../base/errors.ts";
import { ProfileNameSchema } from "../contracts/ids.ts";

/** The built-in profile: the home itself. */
export const DEFAULT_PROFILE = "default";

/** True for a name that may be a folder under `profiles/` (P-1). */
export const isProfileName = (name: string): boolean => ProfileNameSchema.safeParse(name).success;

/**
 * The folder of a profile. Rejects with `profile_not_found` for a bad name, a missing folder, or one that leads out of
 * the profiles folder (P-1: nothing outside is touched); with `profile_unavailable` when that cannot be told.
 */
export const profileHome = async (home: string, name: string): Promise<string> => {
  if (!isProfileName(name)) throw notFound("of this name");
  // The default profile needs no files: on a fresh machine its home does not exist yet.
  if (name === DEFAULT_PROFILE) return home;
  const root = join(home, "profiles");
  const path = join(root, name);
  try {
    const [realRoot, realPath] = await Promise.all([realpath(root), realpath(path)]);
    if (!realPath.startsWith(realRoot + sep) || !(await lstat(realPath)).isDirectory())
      throw notFound(`"${name}"`);
  } catch (error) {
    if (error instanceof TalariaError) throw error;
    if (["ENOENT", "ENOTDIR", "ELOOP"].includes((error as NodeJS.ErrnoException).code ?? ""))
      throw notFound(`"${name}"`);
    throw new TalariaError("profile_unavailable", `profile "${name}" cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return path;
};

/** Names of the profiles of a home, `default` first, the others sorted. Folders that are no profile are left out. */
export const listProfiles = async (home: string): Promise<readonly string[]> => {
  let names: readonly string[] = [];
  try {
    names = await readdir(join(home, "profiles"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT")
      throw new TalariaError("profile_unavailable", "the profiles cannot be listed", { cause: error });
  }
  const usable = await Promise.all(
    names.map(async (name) => name !== DEFAULT_PROFILE && (await isUsable(home, name))),
  );
  return [DEFAULT_PROFILE, ...names.filter((_name, index) => usable[index]).sort()];
};

const isUsable = (home: string, name: string): Promise<boolean> =>
  profileHome(home, name).then(
    () => true,
    () => false,
  );

const notFound = (which: string): TalariaError =>
  new TalariaError("profile_not_found", `there is no profile ${which}`);

import type { Dirent } from "node:fs";
import { readdir, realpath } from "node:fs/promises";
import { join, sep } from "node:path";

/** Entries of a folder below `home`, by name; none when it is missing, no folder, or a link that leads out of the home (P-1). */
export const listInside = async (home: string, folder: string): Promise<readonly Dirent[]> => {
  try {
    const [root, path] = await Promise.all([realpath(home), realpath(join(home, folder))]);
    if (!path.startsWith(root + sep)) return [];
    const entries = await readdir(path, { withFileTypes: true });
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return [];
  }
};

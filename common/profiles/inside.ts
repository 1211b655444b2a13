import type { Dirent } from "node:fs";
import { readdir, realpath } from "node:fs/promises";
import { join, sep } from "node:path";

/**
 * Entries of a folder below `home`, by name; none when it is missing, no folder, or a link that leads out of the home (P-1). `known` says
 * that it is a real folder in one that was listed here.
 */
export const listInside = async (home: string, folder: string, known = false): Promise<readonly Dirent[]> => {
  try {
    const path = join(home, folder);
    if (!known) {
      const [root, real] = await Promise.all([realpath(home), realpath(path)]);
      if (!real.startsWith(root + sep)) return [];
    }
    const entries = await readdir(path, { withFileTypes: true });
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return [];
  }
};

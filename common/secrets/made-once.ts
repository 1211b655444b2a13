import { randomBytes } from "node:crypto";
import { link, mkdir, open, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Reads a secret of the deployment (mode 0600), or makes it; of several processes that make one, all get the same. Rejects with the
 * file system's error.
 */
export const madeOnce = async (path: string, make: () => string | Uint8Array): Promise<Buffer> => {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const found = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (found !== null) return found;
  const temporary = `${path}.${randomBytes(8).toString("hex")}`;
  const handle = await open(temporary, "wx", 0o600);
  try {
    await handle.writeFile(make());
    await handle.sync();
  } finally {
    await handle.close();
  }
  // A link never replaces: the first one stays.
  await link(temporary, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  await rm(temporary, { force: true });
  return readFile(path);
};

import type { ReadFile } from "./file.ts";

/** Changes with every commit of another connection, and with every opening. */
export const dataVersionOf = (file: ReadFile): string =>
  `${file.opening}:${file.db.pragma("data_version", { simple: true }) as number}`;

/** Device, inode and layout (a.6). */
export const generationOf = (file: ReadFile): string => `${file.identity}:${file.shape().schemaVersion}`;

/** Device and inode of a generation, without its layout. */
export const fileOf = (generation: string): string => generation.slice(0, generation.lastIndexOf(":"));

/**
 * The highest message id the file ever gave out. Rows that were deleted count: ids never come back, so a file whose
 * newest session was deleted is still the same file.
 */
export const lastRowId = (file: ReadFile): number => {
  const newest = Number(file.prepare("SELECT MAX(id) FROM messages").pluck().get() ?? 0);
  const counts = file.memo("counts ids", () => {
    const sql = "SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'";
    return file.db.prepare(sql).get() !== undefined;
  });
  if (!counts) return newest;
  const given = file.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'messages'").pluck().get();
  return Math.max(newest, Number(given ?? 0));
};

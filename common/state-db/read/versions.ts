import { lastGivenRowId } from "../shape.ts";
import type { ReadFile } from "./file.ts";

/** Changes with every commit of another connection, and with every opening. */
export const dataVersionOf = (file: ReadFile): string =>
  `${file.opening}:${file.db.pragma("data_version", { simple: true }) as number}`;

/** Device, inode and layout (a.6). */
export const generationOf = (file: ReadFile): string => `${file.identity}:${file.shape().schemaVersion}`;

/** Device and inode of a generation, without its layout. */
export const fileOf = (generation: string): string => generation.slice(0, generation.lastIndexOf(":"));

/** See `lastGivenRowId`. */
export const lastRowId = (file: ReadFile): number => lastGivenRowId(file.prepare);

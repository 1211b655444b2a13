import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createProfileStore, type ProfileStore } from "../../../common/profiles/store.ts";

export type Files = Readonly<Record<string, string>>;

export const writeFiles = (folder: string, files: Files): void => {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
};

/** A home in a folder of its own, with named profiles in it. */
export const newHome = (files: Files = {}, profiles: Readonly<Record<string, Files>> = {}): string => {
  const home = mkdtempSync(join(tmpdir(), "talaria-profiles-"));
  writeFiles(home, files);
  for (const [name, own] of Object.entries(profiles)) writeFiles(join(home, "profiles", name), own);
  return home;
};

export const SALT = new Uint8Array(32).fill(7);

export const storeOf = (home: string): ProfileStore =>
  createProfileStore({ home, lockFile: join(home, "talaria", "profiles.lock"), salt: SALT });

import type Database from "better-sqlite3";

/** The mark in `marks` of which local messages are indexed. */
export const LOCAL_MARK = "local";

/** How far a profile's file is indexed. */
export interface Source {
  /** Device and inode. */
  readonly identity: string;
  readonly watermark: number;
  readonly done: boolean;
  /** Documents of an earlier file are being removed. */
  readonly dropping: boolean;
}

/** Prepares the look at a profile's source; null before its first step. */
export const readSource = (db: Database.Database): ((profile: string) => Source | null) => {
  const get = db.prepare<[string], { identity: string; watermark: number; done: number; dropping: number }>(
    "select identity, watermark, done, dropping from sources where profile = ?",
  );
  return (profile) => {
    const found = get.get(profile);
    return found === undefined ? null : { ...found, done: found.done === 1, dropping: found.dropping === 1 };
  };
};

import { existsSync } from "node:fs";
import { TalariaError } from "../../common/base/errors.ts";
import type { ImportTarget } from "../../common/exchange/hermes-webui/port.ts";
import { openTalariaDb, type TalariaDb } from "../../common/talaria-db/open.ts";

/** Where an import goes: talaria.db. To be filled in with its statements; until then nothing is found and nothing kept. */
export const openImportTarget = (_db: TalariaDb): ImportTarget => ({
  find: async () => null,
  importSession: async () => {
    throw new TalariaError("store_unavailable", "imports are not kept in talaria.db yet");
  },
});

/** Opens the target for one run of the script. A dry run does not even make the file. */
export const withTarget = async <T>(
  path: string,
  dryRun: boolean,
  work: (target: ImportTarget) => Promise<T>,
): Promise<T> => {
  if (dryRun && !existsSync(path)) return work(NOTHING_YET);
  const db = await openTalariaDb(path);
  try {
    return await work(openImportTarget(db));
  } finally {
    await db.close();
  }
};

const NOTHING_YET: ImportTarget = { find: async () => null, importSession: async () => "imported" };

import { existsSync } from "node:fs";
import { LEGACY_ORIGIN } from "../../common/exchange/hermes-webui/plan.ts";
import type { ImportTarget } from "../../common/exchange/hermes-webui/port.ts";
import { openTalariaDb, type TalariaDb } from "../../common/talaria-db/open.ts";

/** Where an import goes: talaria.db. What a running server shows of the conversation already gets the imported transcript. */
export const openImportTarget = ({ read, write }: TalariaDb): ImportTarget => ({
  find: (profile, storeId) => read.importedSession(profile, storeId),
  importSession: ({ rows, storeId, baseCursor, ...session }) =>
    write.importSession({
      ...session,
      storeId,
      source: LEGACY_ORIGIN,
      forkedFrom: null,
      store: baseCursor > 0 ? { id: storeId, cursor: baseCursor } : null,
      messages: rows,
    }),
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

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Run } from "../../common/contracts/run.ts";
import { openTalariaDb, type TalariaDb } from "../../common/talaria-db/open.ts";

/** Runs `work` with a fresh talaria.db in a folder of its own. */
export const withTalariaDb = async (work: (db: TalariaDb, path: string) => Promise<void>): Promise<void> => {
  const dir = await mkdtemp(join(tmpdir(), "talaria-db-"));
  const path = join(dir, "talaria.db");
  const db = await openTalariaDb(path);
  try {
    await work(db, path);
  } finally {
    await db.close();
    await rm(dir, { recursive: true, force: true });
  }
};

/** Accepts one message in a session, as the API does. */
export const acceptMessage = async (
  db: TalariaDb,
  sessionId: string,
  text = "hello",
  onBusy: "reject" | "queue" = "reject",
): Promise<Run> =>
  (await db.runs.accept({ sessionId, text, model: null, onBusy, recovery: "resume", idempotency: null })).run;

import { wallClock } from "../base/clock.ts";
import { createDeliveryOps } from "../deliveries/delivery-ops.ts";
import { createDeliveryReadOps } from "../deliveries/delivery-reads.ts";
import { createRunEvents } from "../deliveries/run-events.ts";
import { createSubscriptionOps, createSubscriptionReadOps } from "../deliveries/subscription-ops.ts";
import { createWebhookOps, createWebhookReadOps } from "../deliveries/webhook-ops.ts";
import { createContextOps, createContextReadOps } from "../jobs/context-ops.ts";
import { createEntitle } from "../jobs/entitle.ts";
import { createFailedJobOps } from "../jobs/failed-ops.ts";
import { createJobLedger } from "../jobs/ledger.ts";
import { createJobReadOps } from "../jobs/read-ops.ts";
import { createRecapOps, createRecapReadOps } from "../jobs/recap-ops.ts";
import { createTitleOps } from "../jobs/title-ops.ts";
import { createUpdateOps } from "../jobs/update-ops.ts";
import { createProcessOps, createProcessReadOps } from "../processes/process-ops.ts";
import { createAfterTurn, createWakeOps } from "../processes/wake-ops.ts";
import { createAcceptOps } from "../runs/accept-ops.ts";
import { createDeadRunOps } from "../runs/dead-ops.ts";
import { createEndOps } from "../runs/end-ops.ts";
import { createExecuteOps } from "../runs/execute-ops.ts";
import { createOpenRunOps } from "../runs/open-ops.ts";
import { createOutboxOps } from "../runs/outbox-ops.ts";
import { createRunReadOps } from "../runs/read-ops.ts";
import { createReleaseOps } from "../runs/release-ops.ts";
import { createRunTimesReadOps } from "../runs/times-ops.ts";
import { createCopyReadOps, createCopyWriteOps } from "../sessions/copy-ops.ts";
import { createCutOps, createCutReadOps } from "../sessions/cut-ops.ts";
import { createFileReadOps, createFileWriteOps } from "../sessions/file-ops.ts";
import { createJournalSampleOps } from "../sessions/journal-sample-ops.ts";
import { createSessionReadOps, createSessionWriteOps } from "../sessions/ops.ts";
import { createPlaceReadOps, createPlaceWriteOps } from "../sessions/place-ops.ts";
import { createProfileReadOps, createProfileWriteOps } from "../sessions/profile-ops.ts";
import { createReplacedOps } from "../sessions/replaced-ops.ts";
import { createStoreReadOps, createStoreWriteOps } from "../sessions/store-ops.ts";
import { migrate } from "../sqlite/migrate.ts";
import { openDatabase } from "../sqlite/open.ts";
import type { StoreRole } from "../sqlite/protocol.ts";
import { createArchiveReadOps, createArchiveWriteOps } from "./archive-ops.ts";
import { createLoginReadOps, createLoginWriteOps } from "./login-ops.ts";
import { createMaintenanceOps, createMaintenanceReadOps } from "./maintenance-ops.ts";

/** Everything that runs inside the threads of talaria.db, put together from the rooms that own the tables. */
const writeOps = (path: string) => {
  const db = openDatabase(path);
  migrate(db, new URL("./migrations/", import.meta.url));
  // From here on the store's thread waits for locks by itself, in finer steps than SQLite would (sqlite/thread.ts).
  db.pragma("busy_timeout = 0");
  const outbox = createOutboxOps(db, wallClock);
  const releases = createReleaseOps(db, outbox, wallClock);
  const jobs = createJobLedger(db, outbox, wallClock);
  const titles = createTitleOps(db, outbox, jobs);
  const webhooks = createWebhookOps(db, wallClock);
  const accepting = createAcceptOps(db, outbox, releases, wallClock, webhooks.putRunWebhook);
  return {
    db,
    ops: {
      ...createSessionWriteOps(db, wallClock),
      ...createStoreWriteOps(db, wallClock),
      ...createFileWriteOps(db, wallClock),
      ...createReplacedOps(db),
      ...createProfileWriteOps(db),
      ...createPlaceWriteOps(db, wallClock),
      ...createCutOps(db, wallClock),
      ...createCopyWriteOps(db, wallClock),
      ...outbox,
      ...releases,
      ...accepting,
      ...createExecuteOps(db, outbox, wallClock),
      ...createEndOps(
        db,
        outbox,
        releases,
        createEntitle(db, titles),
        createAfterTurn(db, outbox),
        wallClock,
        createRunEvents(db, outbox, wallClock),
      ),
      ...jobs.ops,
      ...titles,
      ...webhooks,
      ...createSubscriptionOps(db, wallClock),
      ...createDeliveryOps(db, outbox, wallClock),
      ...createRecapOps(db, jobs, wallClock),
      ...createUpdateOps(db, wallClock),
      ...createContextOps(db, jobs, wallClock),
      ...createProcessOps(db, outbox, wallClock),
      ...createWakeOps(db, outbox, accepting, wallClock),
      ...createArchiveWriteOps(db),
      ...createLoginWriteOps(db),
      ...createMaintenanceOps(db, wallClock),
    },
  };
};

const readOps = (path: string) => {
  const db = openDatabase(path, { readonly: true });
  return {
    db,
    ops: {
      ...createSessionReadOps(db),
      ...createStoreReadOps(db),
      ...createFileReadOps(db),
      ...createProfileReadOps(db),
      ...createPlaceReadOps(db),
      ...createCutReadOps(db),
      ...createCopyReadOps(db),
      ...createRunReadOps(db),
      ...createOpenRunOps(db),
      ...createDeadRunOps(db),
      ...createJournalSampleOps(db),
      ...createRunTimesReadOps(db),
      ...createJobReadOps(db),
      ...createWebhookReadOps(db),
      ...createSubscriptionReadOps(db),
      ...createDeliveryReadOps(db),
      ...createRecapReadOps(db),
      ...createContextReadOps(db),
      ...createProcessReadOps(db),
      ...createFailedJobOps(db),
      ...createArchiveReadOps(db),
      ...createLoginReadOps(db),
      ...createMaintenanceReadOps(db),
      quickCheck: (): string => String(db.pragma("quick_check(1)", { simple: true })),
      sqliteVersion: (): string => db.prepare("select sqlite_version()").pluck().get() as string,
    },
  };
};

export type WriteOps = ReturnType<typeof writeOps>["ops"];
export type ReadOps = ReturnType<typeof readOps>["ops"];

export const createOps = (role: StoreRole, options: { readonly path: string }) =>
  role === "write" ? writeOps(options.path) : readOps(options.path);

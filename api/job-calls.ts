import type { Job } from "../common/contracts/job.ts";
import type { RunControl } from "../common/lifecycle/port.ts";
import type { OutboxRow } from "../common/runs/ledger.ts";
import type { TalariaDb } from "../common/talaria-db/open.ts";
import type { JobRoutesDeps } from "./routes/jobs.ts";
import type { RecapRoutesDeps } from "./routes/recaps.ts";

/** What the routes of background work ask of talaria.db. What a call decided is told at once; null: there was nothing to decide. */
export const jobCalls = (
  { read, write }: Pick<TalariaDb, "read" | "write">,
  control: Pick<RunControl, "tell">,
): Omit<JobRoutesDeps, "sessions"> & Pick<RecapRoutesDeps, "putRecap"> => {
  const told = async (made: { readonly job: Job; readonly outbox: readonly OutboxRow[] } | null) => {
    await control.tell(made?.outbox ?? []);
    return made?.job ?? null;
  };
  return {
    findJob: (id) => read.findJob(id),
    jobsOf: (sessionId) => read.jobsOf(sessionId),
    regenerateTitle: async (sessionId) => told(await write.regenerateTitle(sessionId)),
    putRecap: async (sessionId, kind, after) => told(await write.putRecapJob(sessionId, { kind, after })),
    retryJob: async (id) => told(await write.retryJob(id)),
    cancelJob: async (id) => told(await write.cancelJob(id)),
  };
};

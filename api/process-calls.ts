import type { RunControl } from "../common/lifecycle/port.ts";
import type { TalariaDb } from "../common/talaria-db/open.ts";
import type { BackgroundProcessDeps } from "./routes/background-processes.ts";

const LIST = 50;

/** What the routes of background processes ask of talaria.db; what a call decided is told at once. */
export const processCalls = (
  { read, write }: Pick<TalariaDb, "read" | "write">,
  control: Pick<RunControl, "tell">,
): Omit<BackgroundProcessDeps, "sessions"> => ({
  processesOf: (sessionId) => read.processesOf(sessionId, LIST),
  findProcess: (id) => read.findProcess(id),
  killProcess: async (id) => {
    const killed = await write.killProcess(id, "person");
    if (killed === null) return null;
    await control.tell(killed.outbox);
    return await read.findProcess(id);
  },
});

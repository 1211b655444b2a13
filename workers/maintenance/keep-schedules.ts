import { startRounds } from "../../common/base/rounds.ts";
import { MAINTENANCE } from "../../common/contracts/maintenance.ts";
import type { Logger } from "../../common/logging/logger.ts";
import type { Schedules } from "../../common/queues/schedules.ts";

const LOOK_EVERY_MS = 10_000;

/**
 * Keeps the schedules in Redis, from every worker that serves them: a Redis that was emptied has them again within a round. Resolves
 * at once; `close` ends the looking.
 */
export const keepSchedules = (schedules: Schedules, log: Logger): { close(): Promise<void> } => {
  let isFirst = true;
  const rounds = startRounds({
    work: async () => {
      const made = await schedules.keep(MAINTENANCE, isFirst);
      isFirst = false;
      if (made.length > 0) log.info({ tasks: made }, "maintenance is scheduled");
    },
    pauseMs: () => LOOK_EVERY_MS,
    onError: (err) => log.warn({ err }, "schedules of maintenance cannot be kept; looking again"),
  });
  return { close: () => rounds.close() };
};

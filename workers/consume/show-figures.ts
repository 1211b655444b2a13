import { startRounds } from "../../common/base/rounds.ts";
import type { Logger } from "../../common/logging/logger.ts";
import type { FiguresBoard } from "../../common/metrics/board.ts";
import type { Figures } from "../../common/metrics/figures.ts";

/** How often a worker says what it has counted, in milliseconds: what a killed one had not said is lost. */
const SAY_EVERY_MS = 3_000;

/**
 * Keeps leaving this worker's figures for the api's /metrics; the last ones when it closes, which stay to be scraped. A
 * worker that starts removes what earlier ones left. Never rejects.
 */
export const showFigures = async (
  board: Pick<FiguresBoard, "put" | "forgetOld">,
  process: string,
  figures: Pick<Figures, "families">,
  log: Logger,
): Promise<{ close(): Promise<void> }> => {
  const words = startRounds({
    work: async () => board.put({ process, families: await figures.families() }),
    pauseMs: () => SAY_EVERY_MS,
    onError: (err) => log.debug({ err }, "Redis is away: nobody hears what this worker counts"),
  });
  await words.first;
  await board.forgetOld().catch((err: unknown) => log.debug({ err }, "old figures are still there"));
  return {
    close: async () => {
      await words.now();
      await words.close();
    },
  };
};

import type { Redis } from "ioredis";
import { startRounds } from "../../common/base/rounds.ts";
import type { Logger } from "../../common/logging/logger.ts";
import { type DrainOrders, drainWord } from "../../common/queues/drain-orders.ts";

/** How often a worker looks for an order of which it heard no word, in milliseconds. */
const LOOK_EVERY_MS = 2_000;

/**
 * Looks for an order to this worker to drain until there is one: `ordered` resolves then. `words` is a connection that is subscribed
 * to the control channel. After `close`, which takes the order away, it never resolves.
 */
export const obeyOrders = ({
  orders,
  worker,
  words,
  log,
}: {
  readonly orders: Pick<DrainOrders, "has" | "done">;
  readonly worker: string;
  readonly words: Redis;
  readonly log: Logger;
}): { readonly ordered: Promise<void>; close(): Promise<void> } => {
  const { promise: ordered, resolve } = Promise.withResolvers<void>();
  const looks = startRounds({
    work: async () => {
      if (await orders.has(worker)) resolve();
    },
    pauseMs: () => LOOK_EVERY_MS,
    onError: (err) => log.debug({ err }, "Redis is away: no order is heard"),
  });
  words.on("message", (_channel: string, word: string) => {
    if (word === drainWord(worker)) void looks.now();
  });
  return {
    ordered,
    close: async () => {
      await looks.close();
      await orders.done(worker).catch(() => {});
    },
  };
};

import type { Redis } from "ioredis";
import type { Logger } from "../../common/logging/logger.ts";
import { type JobKind, queueName } from "../../common/queues/catalog.ts";
import type { Consumer } from "./consumer.ts";

/** How often it is looked for profiles that came or went, in milliseconds. */
const LOOK_EVERY_MS = 2_000;

/**
 * Keeps consumers serving the queues of the profiles that are there, or of `only` these (DESIGN 8: a pool). Resolves when the
 * first ones are served; `close` ends the looking, not the serving.
 */
export const serveQueues = async ({
  consumers,
  only,
  profiles,
  words,
  channel,
  log,
}: {
  /** Each kind of job has its own, so that none takes another's place. */
  readonly consumers: ReadonlyMap<JobKind, Pick<Consumer, "serve" | "wake">>;
  /** Null: every profile. */
  readonly only: readonly string[] | null;
  readonly profiles: () => Promise<readonly string[]>;
  /** A connection for the words of `channel` alone, each the name of a queue that got a job. */
  readonly words: Redis;
  readonly channel: string;
  readonly log: Logger;
}): Promise<{ close(): Promise<void> }> => {
  const served = new Map<string, Pick<Consumer, "wake">>();
  const look = async (): Promise<void> => {
    const names = only ?? (await profiles());
    served.clear();
    for (const [kind, consumer] of consumers) {
      const queues = names.map((profile) => queueName(kind, profile));
      for (const queue of queues) served.set(queue, consumer);
      consumer.serve(queues);
    }
  };

  let timer: ReturnType<typeof setTimeout> | undefined;
  let pass: Promise<void> = Promise.resolve();
  let stopped = false;
  const round = (): Promise<void> => {
    clearTimeout(timer);
    pass = pass
      .then(look)
      .catch((err: unknown) => log.warn({ err }, "the profiles could not be listed; looking again"))
      .then(() => {
        clearTimeout(timer);
        if (!stopped) timer = setTimeout(() => void round(), LOOK_EVERY_MS);
      });
    return pass;
  };

  words.on("message", (_channel: string, queue: string) => {
    const consumer = served.get(queue);
    if (consumer !== undefined) consumer.wake(queue);
    // The first job of a profile that was made a moment ago.
    else if (only === null && [...consumers.keys()].some((kind) => queue.startsWith(`${kind}@`)))
      void round();
  });
  await words.subscribe(channel);
  await round();
  return {
    close: async () => {
      stopped = true;
      clearTimeout(timer);
      await pass;
      clearTimeout(timer);
    },
  };
};

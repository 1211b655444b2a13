import type { Redis } from "ioredis";
import { startRounds } from "../../common/base/rounds.ts";
import type { Logger } from "../../common/logging/logger.ts";
import { DEFAULT_PROFILE } from "../../common/profiles/names.ts";
import { type JobKind, queuesOf } from "../../common/queues/catalog.ts";
import type { Consumer } from "./consumer.ts";

/** How often it is looked for profiles that have work, in milliseconds. */
const LOOK_EVERY_MS = 2_000;
/** How long a profile's queues are served after its last work: a queue costs a connection. */
const KEEP_MS = 5 * 60_000;

/**
 * Keeps consumers serving the queues of the profiles that have work or had some a moment ago, or always of `only` these (DESIGN 8: a
 * pool). A profile whose folder is gone is among them: its work must end, too. Resolves when the first ones are served; `close`
 * ends the looking, not the serving.
 */
export const serveQueues = async ({
  consumers,
  only,
  busy,
  words,
  channel,
  log,
}: {
  /** Each kind of job has its own, so that none takes another's place. */
  readonly consumers: ReadonlyMap<JobKind, Pick<Consumer, "serve" | "wake">>;
  /** Null: every profile. */
  readonly only: readonly string[] | null;
  /** Profiles with work that has not ended. */
  readonly busy: () => Promise<readonly string[]>;
  /** A connection for the words of `channel` alone, each the name of a queue that got a job. */
  readonly words: Redis;
  readonly channel: string;
  readonly log: Logger;
}): Promise<{ close(): Promise<void> }> => {
  const served = new Map<string, Pick<Consumer, "wake">>();
  const seen = new Map<string, number>();
  const atWork = async (): Promise<readonly string[]> => {
    const now = performance.now();
    // Where most work is, the first message shall not wait for a connection.
    for (const profile of [DEFAULT_PROFILE, ...(await busy())]) seen.set(profile, now);
    for (const [profile, at] of seen) if (now - at > KEEP_MS) seen.delete(profile);
    return [...seen.keys()];
  };
  const look = async (): Promise<void> => {
    const names = only ?? (await atWork());
    served.clear();
    for (const [kind, consumer] of consumers) {
      const queues = queuesOf(kind, names);
      for (const queue of queues) served.set(queue, consumer);
      consumer.serve(queues);
    }
  };

  const looks = startRounds({
    work: look,
    pauseMs: () => LOOK_EVERY_MS,
    onError: (err) => log.warn({ err }, "it is not known which profiles have work; looking again"),
  });
  words.on("message", (_channel: string, queue: string) => {
    const consumer = served.get(queue);
    if (consumer !== undefined) consumer.wake(queue);
    // The first job of a profile for a while.
    else if (only === null && [...consumers.keys()].some((kind) => queue.startsWith(`${kind}@`)))
      void looks.now();
  });
  await words.subscribe(channel);
  // What was put into a queue before a word of it could be heard.
  await looks.now();
  return { close: looks.close };
};

import { Redis, type RedisOptions } from "ioredis";

/**
 * What a connection is for:
 * - `command`: answers or fails within 2 s; what did not get through is the caller's to repeat
 * - `blocking`: one blocking read at a time, waits out any outage
 * - `queue-producer`: BullMQ's Queue; fails fast
 * - `queue-worker`: BullMQ's Worker and QueueEvents; waits out any outage
 */
export type ConnectionRole = "command" | "blocking" | "queue-producer" | "queue-worker";

export interface ConnectOptions {
  /** Called with every connection error; ioredis goes on trying to connect by itself. */
  readonly onError?: (error: Error, role: ConnectionRole) => void;
}

/** Longest time a reader of the `blocking` role may block; a socket silent for three times as long is dead. */
export const MAX_BLOCK_MS = 2_000;

/** Opens a connection; it connects in the background and reconnects for ever, at most a second after a failure. */
export const connectRedis = (url: string, role: ConnectionRole, options: ConnectOptions = {}): Redis => {
  const redis = new Redis(url, connectionOptions(role));
  // Without a listener an 'error' event would end the process.
  redis.on("error", (error: Error) => options.onError?.(error, role));
  return redis;
};

/** ioredis options of a role, for libraries that open connections themselves (BullMQ's `connection`). */
export const connectionOptions = (role: ConnectionRole): Options => ({ ...COMMON, ...BY_ROLE[role] });

/** Replies keep ioredis' default shape. */
type Options = Omit<RedisOptions, "replyMapping">;

const COMMON: Options = {
  // ioredis' own backoff adds up to 5 s after a long outage (reliability-contract, Settings).
  retryStrategy: (times) => Math.min(50 * times, 1_000),
  connectTimeout: 5_000,
};

const COMMAND_TIMEOUT_MS = 2_000;

const BY_ROLE: Record<ConnectionRole, Options> = {
  command: {
    // Commands of the first moments wait for the connection, but never longer than the timeout or the second failure.
    commandTimeout: COMMAND_TIMEOUT_MS,
    maxRetriesPerRequest: 1,
    socketTimeout: 2 * COMMAND_TIMEOUT_MS,
    enableAutoPipelining: true,
    protocol: 2,
  },
  blocking: { maxRetriesPerRequest: null, socketTimeout: 3 * MAX_BLOCK_MS, protocol: 2 },
  "queue-producer": { commandTimeout: COMMAND_TIMEOUT_MS, maxRetriesPerRequest: 1 },
  // Half-open connections show: something is asked every second, and no answer takes this long.
  "queue-worker": { maxRetriesPerRequest: null, socketTimeout: 3 * MAX_BLOCK_MS },
};

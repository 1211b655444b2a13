import type { Hub, HubEntry } from "./port.ts";

/**
 * A session's log went back behind a position that was already followed: Redis lost its tail, and part of what was sent is
 * history that no longer exists. The client is told `reset`.
 */
export class LogRestart extends Error {
  constructor(message: string) {
    super(message);
    this.name = "LogRestart";
  }
}

/** `hub.follow`, which also rejects with `LogRestart` when a number comes a second time. */
export async function* followLog(
  hub: Hub,
  sessionId: string,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<readonly HubEntry[], void, undefined> {
  let last = after;
  for await (const batch of hub.follow(sessionId, after, signal)) {
    const first = batch[0];
    if (first !== undefined && first.seq <= last) throw new LogRestart("the log gave out a number again");
    last = batch.at(-1)?.seq ?? last;
    yield batch;
  }
}

/** By name: the hub may throw an error class of its own. */
export const isLogRestart = (error: unknown): boolean =>
  error instanceof Error && error.name === "LogRestart";

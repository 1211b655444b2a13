import { type Journal, sessionCursor } from "../../common/journal/port.ts";
import type { Hub, HubEntry, LogPosition } from "./port.ts";

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

/**
 * Whether `first` continues the log that `last` belongs to. A leap in the numbers or a new generation is usual, but it is also how a log
 * looks that went on after Redis lost a tail; then `last` is not there any more. Rejects when the journal cannot be asked.
 */
export const goesOn = async (
  journal: Pick<Journal, "checkSessionCursor">,
  sessionId: string,
  last: LogPosition,
  first: LogPosition,
): Promise<boolean> => {
  if (last.seq === 0 || last.generation < 0) return true;
  if (first.seq === last.seq + 1 && first.generation === last.generation) return true;
  return (await journal.checkSessionCursor(sessionId, sessionCursor(last))).kind !== "unknown";
};

/** `hub.follow`, which also rejects with `LogRestart` when a number comes a second time. */
export async function* followLog(
  hub: Hub,
  sessionId: string,
  after: LogPosition,
  signal: AbortSignal,
): AsyncGenerator<readonly HubEntry[], void, undefined> {
  let last = after.seq;
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

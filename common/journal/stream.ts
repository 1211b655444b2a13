import type { Redis } from "ioredis";
import { messageOf, TalariaError } from "../base/errors.ts";
import type { Entry, RunSpan } from "./port.ts";

/** One entry as Redis returns it; the fields stand in the order in which the scripts write them. */
export type RawEntry = readonly [id: string, fields: readonly string[]];

export const parseEntry = ([id, fields]: RawEntry): Entry => {
  const { seq, generation } = parseEntryId(id);
  return {
    seq,
    generation,
    event: fields[1] ?? "",
    runId: fields[3] || null,
    runSeq: Number(fields[5]),
    attempt: Number(fields[7]),
    data: fields[9] ?? "",
  };
};

export const parseEntryId = (id: string): { readonly seq: number; readonly generation: number } => {
  const dash = id.indexOf("-");
  return { seq: Number(id.slice(0, dash)), generation: Number(id.slice(dash + 1)) };
};

/** What a run's hash holds of it; null when the hash is missing or the run has no entry yet. */
export interface StoredRun extends RunSpan {
  /** Epoch ms; null while the run is open. */
  readonly closedAtMs: number | null;
  readonly archived: boolean;
  /** First entry of the newest attempt. */
  readonly attemptFirst: { readonly seq: number; readonly runSeq: number };
}

export const RUN_FIELDS = [
  ...["first", "last", "run_seq", "attempt", "last_gen"],
  ...["closed", "archived", "at_first", "at_run"],
] as const;

export const parseStoredRun = (values: readonly (string | null)[]): StoredRun | null => {
  const [first, last, runSeq, attempt, lastGeneration, closed, archived, atFirst, atRun] = values;
  if (first === null || first === undefined) return null;
  return {
    firstSeq: Number(first),
    lastSeq: Number(last),
    lastRunSeq: Number(runSeq),
    lastAttempt: Number(attempt),
    lastGeneration: Number(lastGeneration),
    closed: closed !== null,
    closedAtMs: closed === null ? null : Number(closed),
    archived: archived !== null,
    attemptFirst: { seq: Number(atFirst), runSeq: Number(atRun) },
  };
};

/** Runs commands (lower case names) in one round trip and returns their replies; rejects with the first error. */
export const roundTrip = async (
  redis: Redis,
  commands: readonly (readonly [string, ...(string | number)[]])[],
): Promise<readonly unknown[]> => {
  if (commands.length === 0) return [];
  const replies = await redis.pipeline(commands.map((command) => [...command])).exec();
  return (replies ?? []).map(([error, reply]) => {
    if (error !== null) throw error;
    return reply;
  });
};

/** What Redis refuses or does not answer becomes `redis_unavailable`, with the cause kept; our own mistakes stay visible. */
export const reaching = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TalariaError || error instanceof TypeError || error instanceof SyntaxError)
      throw error;
    throw new TalariaError("redis_unavailable", `the journal cannot be reached: ${messageOf(error)}`, {
      cause: error,
      retryAfterS: 1,
    });
  }
};

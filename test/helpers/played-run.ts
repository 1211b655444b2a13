import type { NewEntry, Writer } from "../../common/journal/port.ts";
import type { House } from "./house.ts";

export type Started = { readonly sessionId: string; readonly runId: string };

/** A run that the test executes by hand, with the calls that a worker makes. */
export interface PlayedRun extends Started {
  /** The next attempt: a new generation takes the log over. */
  claim(): Promise<void>;
  emit(event: string, payload?: object): Promise<void>;
  /** `count` tokens "0 ", "1 ", …, or that text each; appended in batches. */
  tokens(count: number, text?: string): Promise<void>;
  /** Commits the run as completed with this answer, or without one, does `meanwhile`, and tells the run's end. */
  end(answer?: string, meanwhile?: () => Promise<void>): Promise<void>;
}

const BATCH = 500;

/** Takes the run without beginning an attempt. */
export const playRun = (
  { db, journal, lifecycle }: Pick<House, "db" | "journal" | "lifecycle">,
  { sessionId, runId }: Started,
): PlayedRun => {
  let writer: Writer = { sessionId, runId, generation: 0, attempt: 0 };
  let batch = 0;
  let lastRunSeq = 0;

  const append = async (entries: readonly NewEntry[]): Promise<void> => {
    const result = await journal.append(writer, ++batch, entries);
    if (result.status !== "ok") throw new Error(`the journal answered ${result.status}`);
    lastRunSeq = result.lastRunSeq;
  };

  return {
    sessionId,
    runId,
    claim: async () => {
      const claim = await db.write.claimRun(runId, "test", null, Number.MAX_SAFE_INTEGER);
      if (claim.kind !== "claimed") throw new Error(`the ledger answered ${claim.kind}`);
      writer = { ...writer, generation: claim.record.generation, attempt: claim.record.run.attempt };
      batch = 0;
      const { status } = await journal.claim(writer, claim.minSeq);
      if (status !== "ok") throw new Error(`the journal answered ${status}`);
    },
    emit: (event, payload = {}) => append([{ event, data: JSON.stringify(payload) }]),
    tokens: async (count, text) => {
      for (let from = 0; from < count; from += BATCH)
        await append(
          Array.from({ length: Math.min(BATCH, count - from) }, (_, index) => ({
            event: "token",
            data: JSON.stringify({ text: text ?? `${from + index} `, step: 1 }),
          })),
        );
    },
    end: async (answer, meanwhile) => {
      const messages =
        answer === undefined ? [] : [{ role: "assistant", content: answer, status: "complete" } as const];
      const outcome = { status: "completed", messages, usage: null, error: null } as const;
      const result = await db.write.commitRun(runId, writer.generation, outcome);
      if (result.kind !== "committed") throw new Error(`the ledger answered ${result.kind}`);
      await meanwhile?.();
      await lifecycle.settler.release(result, { view: "complete", lastRunSeq });
    },
  };
};

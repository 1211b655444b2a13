import type { Backbone } from "../../../common/backbone/open.ts";

/** An ended run with a long journal. */
export interface Archivist {
  readonly id: string;
  /** Events in its journal, from `run_queued` to `stream_end`. */
  readonly entryCount: number;
  /** Takes it out of Redis into talaria.db, as housekeeping does a day after its end. */
  moveToArchive(): Promise<void>;
}

const BATCH = 500;

/** Writes a run of exactly `events` events the way a worker does, but as fast as the stores take it. */
export const seedRun = async ({ db, journal, lifecycle }: Backbone, events: number): Promise<Archivist> => {
  const { session } = await db.sessions.create({ profile: "default" });
  const { run } = await db.runs.accept({
    sessionId: session.id,
    text: "a long answer",
    model: null,
    onBusy: "reject",
    recovery: "resume",
    idempotency: null,
  });
  await lifecycle.dispatcher.settled();
  const claim = await db.write.claimRun(run.id, "bench", null, 3);
  if (claim.kind !== "claimed") throw new Error(`the seeded run could not be claimed: ${claim.kind}`);
  const { generation } = claim.record;
  const writer = { sessionId: session.id, runId: run.id, generation, attempt: 1 };
  const taken = await journal.claim(writer, claim.minSeq);
  if (taken.status !== "ok") throw new Error(`the journal refused the seeded run: ${taken.status}`);

  // The end takes two: `done` and `stream_end`.
  const tokens = events - taken.lastRunSeq - 2;
  for (let from = 0, batch = 1; from < tokens; from += BATCH, batch++) {
    const count = Math.min(BATCH, tokens - from);
    const entries = Array.from({ length: count }, (_, index) => ({
      event: "token",
      data: JSON.stringify({ text: `word${from + index} `, step: 1 }),
    }));
    const { status } = await journal.append(writer, batch, entries);
    if (status !== "ok") throw new Error(`the journal refused a batch: ${status}`);
  }
  const committed = await db.write.commitRun(run.id, generation, {
    status: "completed",
    messages: [{ role: "assistant", content: "a long answer", status: "complete" }],
    usage: null,
    error: null,
  });
  if (committed.kind !== "committed") throw new Error(`the seeded run was not committed: ${committed.kind}`);
  await lifecycle.settler.release(committed, { view: "complete", lastRunSeq: events - 2 });
  const span = await journal.span(session.id, run.id);
  if (span?.closed !== true || span.lastRunSeq !== events) throw new Error("the seeded run is not whole");
  return {
    id: run.id,
    entryCount: events,
    moveToArchive: async () => {
      await journal.archive(session.id, run.id);
      if ((await journal.trim(session.id, Date.now() + 1_000)) !== 1)
        throw new Error("the seeded run was not trimmed");
    },
  };
};

import { TalariaError } from "../common/base/errors.ts";
import type { Run } from "../common/contracts/run.ts";
import type { AcceptRequest, RunStore } from "../common/runs/port.ts";
import type { TranscriptChanges } from "../common/transcript/port.ts";
import type { Metrics } from "./ops/metrics.ts";

export interface RunInPlaceDeps {
  readonly runs: Pick<RunStore, "accept">;
  readonly changes: Pick<TranscriptChanges, "replacing" | "cutMade">;
  readonly metrics: Pick<Metrics, "runsAccepted">;
}

export type InPlaceOptions = Pick<AcceptRequest, "model" | "recovery" | "idempotency" | "traceparent"> & {
  /** Instead of the turn's own text; null: that. */
  readonly input: string | null;
  /** The run whose turn it has to be; without: anybody's. */
  readonly of?: string;
};

/** For a turn that is the last one of its session no more. */
export const turnIsOver = (): TalariaError =>
  new TalariaError("conflict", "The session has gone on since: the message can only be sent again there.");

/**
 * The cut of the last turn, or of a message's, and the run that takes its place, accepted in one transaction; then stores and
 * followers are told. Rejects as `TranscriptChanges.replacing` and `RunStore.accept` do, with `conflict` for another run's turn.
 */
export const createRunInPlace =
  ({ runs, changes, metrics }: RunInPlaceDeps) =>
  async (
    sessionId: string,
    messageId: string | null,
    { input, of, ...options }: InPlaceOptions,
  ): Promise<Run> => {
    const { run, replayed } = await changes.replacing(sessionId, messageId, ({ cut, text, runId, made }) => {
      if (of !== undefined && of !== runId) throw turnIsOver();
      return runs.accept({
        ...{ ...options, sessionId, text: input ?? text, onBusy: "reject", cut },
        ...(made === undefined ? {} : { made }),
      });
    });
    if (!replayed) metrics.runsAccepted.inc();
    await changes.cutMade(sessionId);
    return run;
  };

import type { Run } from "../common/contracts/run.ts";
import type { AcceptRequest, RunStore } from "../common/runs/port.ts";
import type { ReplacedTurn, TranscriptChanges } from "../common/transcript/port.ts";
import type { Metrics } from "./ops/metrics.ts";

export interface RunInPlaceDeps {
  readonly runs: Pick<RunStore, "accept">;
  readonly changes: Pick<TranscriptChanges, "cutMade">;
  readonly metrics: Pick<Metrics, "runsAccepted">;
}

export type InPlaceOptions = Pick<AcceptRequest, "model" | "recovery" | "idempotency" | "traceparent"> & {
  /** Instead of the turn's own text; null: that. */
  readonly input: string | null;
};

/** A turn's cut and the run that takes its place, accepted in one transaction; then stores and followers are told. */
export const createRunInPlace =
  ({ runs, changes, metrics }: RunInPlaceDeps) =>
  async (
    sessionId: string,
    { cut, text, made }: ReplacedTurn,
    { input, ...options }: InPlaceOptions,
  ): Promise<Run> => {
    const { run, replayed } = await runs.accept({
      ...{ ...options, sessionId, text: input ?? text, onBusy: "reject", cut },
      ...(made === undefined ? {} : { made }),
    });
    if (!replayed) metrics.runsAccepted.inc();
    await changes.cutMade(sessionId);
    return run;
  };

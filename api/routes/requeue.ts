import { createHash } from "node:crypto";
import { TalariaError } from "../../common/base/errors.ts";
import { EmptyBody, StartRunAnswer } from "../../common/contracts/http.ts";
import type { Run } from "../../common/contracts/run.ts";
import type { RunStore } from "../../common/runs/port.ts";
import type { TranscriptChanges, Transcripts } from "../../common/transcript/port.ts";
import type { Metrics } from "../ops/metrics.ts";
import { operation, type Resource } from "../route.ts";

export interface RequeueRoutesDeps {
  readonly runs: Pick<RunStore, "get" | "accept" | "replay">;
  readonly transcripts: Pick<Transcripts, "lastPrompts">;
  readonly changes: Pick<TranscriptChanges, "replacing" | "cutMade">;
  readonly metrics: Pick<Metrics, "runsAccepted">;
}

/**
 * A failed run is asked for again. A run has one end and keeps it: what runs is a new one with the same message, in the place of the
 * old turn, as when a person sends the message again.
 */
export const requeueRoutes = ({
  runs,
  transcripts,
  changes,
  metrics,
}: RequeueRoutesDeps): readonly Resource[] => {
  const requeue = async (old: Run): Promise<Run> => {
    if (old.status !== "failed" && old.status !== "interrupted")
      throw new TalariaError("conflict", `This run is ${old.status}; only one that failed is requeued.`);
    // Pressed twice, or by two people, it is one new run.
    const key = `requeue-${old.id}`;
    const idempotency = { key, bodyHash: createHash("sha256").update(key).digest("hex") };
    const known = (): Promise<Run | null> => runs.replay(old.session_id, idempotency);
    const before = await known();
    if (before !== null) return before;
    const { prompts } = await transcripts.lastPrompts(old.session_id, 1);
    if (prompts[0]?.message.run_id !== old.id) {
      const meanwhile = await known();
      if (meanwhile !== null) return meanwhile;
      throw new TalariaError(
        "conflict",
        "The session has gone on since: the message can only be sent again there.",
      );
    }
    const { cut, text } = await changes.replacing(old.session_id, null);
    const { run, replayed } = await runs.accept({
      ...{ sessionId: old.session_id, text, model: old.model, recovery: old.recovery },
      ...{ onBusy: "reject", idempotency, cut },
    });
    if (!replayed) metrics.runsAccepted.inc();
    await changes.cutMade(old.session_id);
    return run;
  };

  return [
    {
      path: "/api/ops/runs/:id/requeue",
      tag: "Operations",
      access: "protected",
      methods: {
        post: operation({
          summary: "Run the message of a failed run again, as a new run in its place",
          description:
            "The failed run keeps its end. Asking again answers with the same new run. 409 when the run did not fail, or its session has gone on since.",
          body: EmptyBody,
          answers: { 202: { description: "The new run", schema: StartRunAnswer } },
          errors: ["run_not_found", "conflict", "session_busy", "store_unavailable"],
          async handle({ param, res }) {
            const run = await requeue(await runs.get(param("id")));
            res
              .status(202)
              .location(`/api/runs/${run.id}`)
              .json({ run, events_url: `/api/runs/${run.id}/events` });
          },
        }),
      },
    },
  ];
};

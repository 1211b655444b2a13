import { createHash } from "node:crypto";
import { isTalariaError, TalariaError } from "../../common/base/errors.ts";
import { EmptyBody, StartRunAnswer } from "../../common/contracts/http.ts";
import type { Run } from "../../common/contracts/run.ts";
import type { RunStore } from "../../common/runs/port.ts";
import { operation, type Resource } from "../route.ts";
import { createRunInPlace, type RunInPlaceDeps, turnIsOver } from "../run-in-place.ts";

export interface RequeueRoutesDeps extends RunInPlaceDeps {
  readonly runs: Pick<RunStore, "get" | "accept" | "replay">;
}

/**
 * A failed run is asked for again. A run has one end and keeps it: what runs is a new one with the same message, in the place of the
 * old turn, as when a person sends the message again.
 */
export const requeueRoutes = (deps: RequeueRoutesDeps): readonly Resource[] => {
  const { runs } = deps;
  const runInPlace = createRunInPlace(deps);
  const requeue = async (old: Run): Promise<Run> => {
    if (old.status !== "failed" && old.status !== "interrupted")
      throw new TalariaError("conflict", `This run is ${old.status}; only one that failed is requeued.`);
    // Pressed twice, or by two people, it is one new run.
    const key = `requeue-${old.id}`;
    const idempotency = { key, bodyHash: createHash("sha256").update(key).digest("hex") };
    const known = (): Promise<Run | null> => runs.replay(old.session_id, idempotency);
    const before = await known();
    if (before !== null) return before;
    const options = { input: null, model: old.model, recovery: old.recovery, traceparent: null };
    return runInPlace(old.session_id, null, { ...options, idempotency, of: old.id }).catch(
      async (error: unknown) => {
        const meanwhile = await known();
        if (meanwhile !== null) return meanwhile;
        throw isTalariaError(error, "nothing_to_undo") ? turnIsOver() : error;
      },
    );
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

import { type EffectiveContext, effectiveContext } from "../../common/compression/effective.ts";
import { prepareCompression } from "../../common/compression/prepare.ts";
import { resultBudget } from "../../common/compression/trim.ts";
import type { Run } from "../../common/contracts/run.ts";
import type { LifecycleDeps } from "../../common/lifecycle/deps.ts";
import type { Redactor } from "../../common/logging/redact.ts";
import { contextLimits } from "../../common/profiles/context-settings.ts";
import type { Profile } from "../../common/profiles/port.ts";
import type { ContextReader, RunContext } from "../../common/transcript/port.ts";
import { auxiliaryRoutes } from "../auxiliary/route.ts";
import { type CompressorDeps, makeContext, stillHolds } from "../compression/compress.ts";
import type { ContextKeeper, KeptContext } from "../engines/port.ts";

export interface KeeperDeps extends Omit<CompressorDeps, "context"> {
  readonly context: ContextReader;
  readonly write: Pick<LifecycleDeps["write"], "applyRunContext">;
}

/** What a run compresses with: its profile's routes, its own history, and its generation as the right to do it. */
export interface KeeperRun {
  readonly run: Run;
  readonly generation: number;
  readonly profile: Profile;
  readonly history: RunContext;
  /** Compressions that earlier attempts of the run committed. */
  readonly made: number;
  readonly redactor: Redactor;
  readonly log: LifecycleDeps["log"];
}

/**
 * Compresses the history of a run in its course (background-jobs 2.2). A version is committed under the run's generation before it is
 * told, so a crash leaves either it or nothing, and the next attempt starts from what there is.
 */
export const createContextKeeper = (deps: KeeperDeps, owner: KeeperRun): ContextKeeper => {
  const { run, generation, profile, history, redactor, log } = owner;
  const limits = contextLimits(profile, run.model);
  let current: EffectiveContext = history;
  let revision = history.contextRevision;

  const commit = async (
    made: Extract<Awaited<ReturnType<typeof makeContext>>, { kind: "made" }>,
  ): Promise<KeptContext> => {
    const { context } = made;
    // Another program may have rewritten what was summarised; what it appended is not part of this run's history.
    const now = await deps.context.contextOf(run.id);
    const version = stillHolds(now, context.covered)
      ? await deps.write.applyRunContext(
          { id: run.id, sessionId: run.session_id, generation },
          revision,
          context,
        )
      : null;
    if (version === null) return refused("compression_snapshot_stale");
    revision = version;
    current = effectiveContext(history.raw, [{ ...context, version }]);
    const { tokensBefore, tokensAfter } = context;
    return { kind: "made", version, tokensBefore, tokensAfter, messages: current.messages };
  };

  return {
    contextLength: limits.contextLength,
    thresholdTokens: limits.automatic ? limits.thresholdTokens : null,
    resultBudget: resultBudget(limits.thresholdTokens),
    made: owner.made,
    count: (messages) => deps.counter.total(messages),
    async prepare(tailTokens) {
      if (!profile.auxiliary.compression.enabled) return null;
      const { contextLength, thresholdTokens } = limits;
      const prepared = await prepareCompression(current, deps.counter, {
        ...{ contextLength, thresholdTokens },
        ...(tailTokens === null ? {} : { tailTokens }),
      });
      if (prepared === null) return null;
      return async (signal) => {
        const made = await makeContext(
          deps,
          { sessionId: run.session_id, context: current, prepared },
          {
            ...{ focus: null, signal, log },
            routes: auxiliaryRoutes(profile.auxiliary.compression, profile.model, run.model),
            redact: (text) => redactor.text(text),
          },
        );
        const kept = made.kind === "made" ? await commit(made) : refused("compression_failed", made.reason);
        log.info(
          { kind: kept.kind, reason: kept.kind === "made" ? undefined : kept.reason },
          "context compressed",
        );
        return kept;
      };
    },
  };
};

const refused = (reason: "compression_failed" | "compression_snapshot_stale", why?: string): KeptContext => ({
  ...{ kind: "refused", reason },
  message:
    reason === "compression_snapshot_stale"
      ? "The conversation changed while it was being compressed; the run goes on with all of it."
      : `The conversation could not be compressed (${why ?? "unknown"}); the run goes on with all of it.`,
});

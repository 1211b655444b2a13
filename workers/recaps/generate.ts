import type { RecapKind } from "../../common/contracts/recap.ts";
import type { Logger } from "../../common/logging/logger.ts";
import { acceptRecap } from "../../common/recaps/accept.ts";
import { recapPrompt } from "../../common/recaps/prompt.ts";
import type { Said } from "../../common/recaps/said.ts";
import { askForBrief, type BriefReason } from "../auxiliary/brief.ts";
import { type AuxiliaryDeps, createAuxiliaryCalls } from "../auxiliary/calls.ts";
import type { Route } from "../auxiliary/route.ts";

export interface RecapRequest {
  /** Oldest first. */
  readonly said: readonly Said[];
  readonly kind: RecapKind;
  /** In the order in which they are tried (`auxiliaryRoutes`). */
  readonly routes: readonly Route[];
  readonly signal: AbortSignal;
  readonly log: Pick<Logger, "debug">;
}

export type RecapOutcome =
  | { readonly kind: "generated"; readonly bullets: readonly string[] }
  /** `reason`: what was wrong with the last answer, or why there was none. */
  | {
      readonly kind: "none";
      readonly reason: BriefReason | Extract<ReturnType<typeof acceptRecap>, { accepted: false }>["reason"];
    };

/**
 * Resolves whatever the providers do; rejects with the reason of `signal`, soon after it aborts. Nothing that was said is logged.
 */
export type GenerateRecap = (request: RecapRequest) => Promise<RecapOutcome>;

/** Limits of background-jobs 3.2. */
const OUTPUT_TOKENS = [700, 1_400] as const;
/** Two routes, each once more where its answer was cut. */
const MAX_CALLS = 4;
const MAX_ANSWER_BYTES = 1024 * 1024;

/** Recaps by model calls of their own (B-6). */
export const createRecapGenerator = (deps: Omit<AuxiliaryDeps, "maxAnswerBytes">): GenerateRecap => {
  const openCalls = createAuxiliaryCalls({ ...deps, maxAnswerBytes: MAX_ANSWER_BYTES });
  return async ({ said, kind, routes, signal, log }) => {
    signal.throwIfAborted();
    const calls = openCalls({ signal, log, max: MAX_CALLS });
    const result = await askForBrief(calls, {
      routes,
      prompt: recapPrompt(said, kind),
      outputTokens: OUTPUT_TOKENS,
      judge: (text, cut) => {
        const verdict = acceptRecap(text, cut, said);
        return verdict.accepted ? { accepted: true, value: verdict.bullets } : verdict;
      },
    });
    if (result.accepted) return { kind: "generated", bullets: result.value };
    log.debug({ calls: calls.made, reason: result.reason }, "no recap was generated");
    return { kind: "none", reason: result.reason };
  };
};

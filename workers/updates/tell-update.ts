import { isTalariaError } from "../../common/base/errors.ts";
import type { UpdateTarget } from "../../common/contracts/update.ts";
import type { UpdateResult } from "../../common/jobs/update-ops.ts";
import type { LifecycleDeps } from "../../common/lifecycle/deps.ts";
import type { Logger } from "../../common/logging/logger.ts";
import { createRedactor } from "../../common/logging/redact.ts";
import type { Profile } from "../../common/profiles/port.ts";
import { bulletsIn, bulletsOf } from "../../common/updates/bullets.ts";
import { updatePrompt } from "../../common/updates/prompt.ts";
import { askForBrief } from "../auxiliary/brief.ts";
import { type AuxiliaryDeps, createAuxiliaryCalls } from "../auxiliary/calls.ts";
import { auxiliaryRoutes } from "../auxiliary/route.ts";

export interface TellUpdateDeps extends Pick<AuxiliaryDeps, "demo" | "fetch"> {
  readonly write: Pick<LifecycleDeps["write"], "claimUpdateSummary" | "endUpdateSummary">;
  readonly resolveProfile: (name: string) => Promise<Profile>;
  readonly withProfileEnv: <T>(
    profile: Profile,
    sessionId: string | null,
    work: () => Promise<T>,
  ) => Promise<T>;
  /** Aborts when the worker hands its work back. */
  readonly handBack: AbortSignal;
  readonly log: Logger;
}

const DEADLINE_MS = 120_000;
const OUTPUT_TOKENS = [700, 1_400] as const;
const MAX_CALLS = 4;
const MAX_ANSWER_BYTES = 1024 * 1024;

/**
 * Tells what is new in words, under the profile that was asked: by its model for compression, else its own (background-jobs 3.1), else
 * from the subjects alone. Done twice it has one effect. Rejects for infrastructure failures and when it is handed back.
 */
export const createTellUpdate = (
  deps: TellUpdateDeps,
): ((summaryId: string, profile: string) => Promise<void>) => {
  const openCalls = createAuxiliaryCalls({ ...deps, maxAnswerBytes: MAX_ANSWER_BYTES });

  const tell = async (
    profile: Profile,
    targets: readonly UpdateTarget[],
    log: Logger,
  ): Promise<{ readonly result: UpdateResult; readonly reason: string | null }> => {
    const { compression, summaries } = profile.auxiliary;
    const fallback = (reason: string) => ({
      result: { generated_by: "fallback" as const, ...bulletsOf(targets) },
      reason,
    });
    if (!summaries.enabled) return fallback("disabled");
    const late = AbortSignal.timeout(DEADLINE_MS);
    const signal = AbortSignal.any([late, deps.handBack]);
    try {
      const answer = await askForBrief(openCalls({ signal, log, max: MAX_CALLS }), {
        routes: auxiliaryRoutes(compression, profile.model, null),
        prompt: updatePrompt(targets),
        outputTokens: OUTPUT_TOKENS,
        judge: (text, cut) => {
          const value = bulletsIn(text, cut);
          return value === null
            ? { accepted: false, reason: "no_bullets" as const }
            : { accepted: true, value };
        },
      });
      if (!answer.accepted) return fallback(answer.reason);
      const redactor = createRedactor(profile.secrets);
      const clean = (texts: readonly string[]) => texts.map((text): string => redactor.value(text));
      const { notice, worth } = answer.value;
      return { result: { generated_by: "llm", notice: clean(notice), worth: clean(worth) }, reason: null };
    } catch (error) {
      deps.handBack.throwIfAborted();
      if (!late.aborted) throw error;
      return fallback("timeout");
    }
  };

  return async (id, queueOf) => {
    const claimed = await deps.write.claimUpdateSummary(id, queueOf);
    if (claimed === null) return;
    const { attempt, targets } = claimed;
    const log = deps.log.child({ update: id, profile: claimed.profile, attempt });
    const profile = await deps.resolveProfile(claimed.profile).catch((error: unknown) => {
      if (isTalariaError(error, "profile_not_found")) return "profile_missing";
      if (isTalariaError(error, "profile_unavailable")) return "profile_unavailable";
      throw error;
    });
    if (typeof profile === "string") {
      await deps.write.endUpdateSummary(id, attempt, null, profile);
      return;
    }
    const { result, reason } = await deps.withProfileEnv(profile, null, () => tell(profile, targets, log));
    await deps.write.endUpdateSummary(id, attempt, result, reason);
    log.info({ by: result.generated_by, reason }, "an update is told");
  };
};

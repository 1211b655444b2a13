import { recapWorkOf } from "../../common/jobs/recap-ops.ts";
import type { LifecycleDeps } from "../../common/lifecycle/deps.ts";
import { createRedactor } from "../../common/logging/redact.ts";
import { fallbackRecap } from "../../common/recaps/fallback.ts";
import { RECAP_MESSAGES, type Said, saidIn } from "../../common/recaps/said.ts";
import type { Transcripts } from "../../common/transcript/port.ts";
import { auxiliaryRoutes } from "../auxiliary/route.ts";
import type { GenerateRecap, RecapOutcome } from "../recaps/generate.ts";
import type { JobRun, JobWork } from "./work.ts";

export interface RecapWorkDeps {
  readonly write: Pick<LifecycleDeps["write"], "applyRecap">;
  readonly transcripts: Pick<Transcripts, "newestFirst">;
  readonly generate: GenerateRecap;
}

/** Four calls of 30 s (background-jobs B-7, 3.2). */
const DEADLINE_MS = 120_000;
/** Messages among which those that were said are looked for; a turn may have hundreds of tool calls. */
const LOOK_AT = 2_000;

/** Tells what a conversation was about, on a card that is no message (background-jobs 3.2). */
export const createRecapWork = ({ write, transcripts, generate }: RecapWorkDeps): JobWork => ({
  deadlineMs: DEADLINE_MS,
  async work(run) {
    const { job, input, profile } = run;
    if (!profile.auxiliary.summaries.enabled) return { kind: "skipped", reason: "disabled" };
    const { kind, after } = recapWorkOf(input);
    const said = await saidUpTo(transcripts, job.session_id, after);
    // It was taken away since somebody asked.
    if (said === null) return { kind: "skipped", reason: "message_gone" };
    if (said.length === 0) return { kind: "skipped", reason: "no_text" };
    const outcome = await inTime(generate, said, run);
    const generated = outcome.kind === "generated";
    const reason = generated ? null : outcome.reason;
    // A key that somebody wrote into the conversation does not get onto a card.
    const redactor = createRedactor(profile.secrets);
    const bullets = (generated ? outcome.bullets : fallbackRecap(said)).map((text): string =>
      redactor.value(text),
    );
    const recap = { kind, after, bullets, generated_by: generated ? "model" : "fallback" } as const;
    return { kind: "apply", apply: () => write.applyRecap(job.id, job.attempt, recap, reason), reason };
  },
});

const inTime = async (
  generate: GenerateRecap,
  said: readonly Said[],
  { input, profile, session, signal, late, log }: JobRun,
): Promise<RecapOutcome | { readonly kind: "none"; readonly reason: "timeout" }> => {
  // The session's own provider, whatever profile is looked at meanwhile (B-34).
  const routes = auxiliaryRoutes(profile.auxiliary.summaries, profile.model, session.model);
  try {
    return await generate({ said, kind: recapWorkOf(input).kind, routes, signal, log });
  } catch (error) {
    if (signal.reason !== late.reason || !late.aborted) throw error;
    return { kind: "none", reason: "timeout" };
  }
};

/** The last things that were said up to a message, oldest first; null: the conversation has no such message. */
const saidUpTo = async (
  transcripts: RecapWorkDeps["transcripts"],
  sessionId: string,
  after: string,
): Promise<readonly Said[] | null> => {
  const said: Said[] = [];
  let found = false;
  let seen = 0;
  for await (const { message } of transcripts.newestFirst(sessionId)) {
    if (++seen > LOOK_AT) break;
    found ||= message.id === after;
    if (!found) continue;
    const one = saidIn(message);
    if (one !== null && said.unshift(one) === RECAP_MESSAGES) break;
  }
  return found ? said : null;
};

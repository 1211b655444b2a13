import { isTalariaError, messageOf } from "../../common/base/errors.ts";
import type { Message } from "../../common/contracts/message.ts";
import type { ClaimedJob } from "../../common/jobs/job-ops.ts";
import type { LifecycleDeps } from "../../common/lifecycle/deps.ts";
import type { Dispatcher } from "../../common/lifecycle/dispatcher.ts";
import type { Logger } from "../../common/logging/logger.ts";
import { createRedactor } from "../../common/logging/redact.ts";
import type { Profile } from "../../common/profiles/port.ts";
import { completeExchanges, type Exchange } from "../../common/titles/exchange.ts";
import type { Transcripts } from "../../common/transcript/port.ts";
import { type GenerateTitle, type TitleOutcome, withoutModel } from "../titles/generate.ts";
import { titleRoutes } from "../titles/route.ts";

export interface TitleJobDeps {
  readonly write: LifecycleDeps["write"];
  readonly dispatcher: Pick<Dispatcher, "handle">;
  readonly transcripts: Pick<Transcripts, "all" | "newestFirst">;
  readonly resolveProfile: (name: string) => Promise<Profile>;
  /** Libraries that read process.env see the profile's variables, as in a run. */
  readonly withProfileEnv: <T>(profile: Profile, sessionId: string, work: () => Promise<T>) => Promise<T>;
  readonly generate: GenerateTitle;
  readonly workerName: string;
  /** Of the whole job, in milliseconds. */
  readonly deadlineMs: number;
  /** Aborts when the worker hands its work back. */
  readonly handBack: AbortSignal;
  readonly log: Logger;
}

/** Messages in which the first, or the latest, exchange is looked for. */
const LOOK_AT = 200;

/**
 * Gives a session its title (background-jobs 1). Computes without any lock and applies by compare-and-set: done twice it has one
 * effect (B-2). Resolves when nothing is left to do, whatever the model did; rejects for infrastructure failures and when it is
 * handed back: the queue then delivers it again.
 */
export const createTitleJob = (deps: TitleJobDeps): ((jobId: string) => Promise<void>) => {
  const { write, dispatcher, log } = deps;

  return async (jobId) => {
    const { claimed, outbox } = await write.claimJob(jobId, deps.workerName);
    await dispatcher.handle(outbox);
    if (claimed === null) return;
    const { attempt } = claimed.job;
    const ending = await endingOf(deps, claimed);
    const about = { job: jobId, session: claimed.session.id, profile: claimed.job.profile, attempt };
    log.info(
      { ...about, ...(ending.kind === "title" ? { reason: ending.reason } : ending) },
      "title job ends",
    );
    await dispatcher.handle(
      ending.kind === "title"
        ? await write.applyTitle(jobId, attempt, ending.title, ending.reason)
        : await write.endJob(jobId, attempt, { state: ending.kind, reason: ending.reason }),
    );
  };
};

type Ending =
  | { readonly kind: "title"; readonly title: string; readonly reason: string | null }
  | { readonly kind: "skipped" | "failed"; readonly reason: string };

const endingOf = async (deps: TitleJobDeps, { job, input, manual, session }: ClaimedJob): Promise<Ending> => {
  // The decisive look is in the write; this one spares the call (B-10).
  if (session.title_source === "user" && !manual) return { kind: "skipped", reason: "manual_title" };
  const profile = await deps.resolveProfile(job.profile).catch((error: unknown) => refusedProfile(error));
  if (typeof profile === "string") return { kind: "failed", reason: profile };
  if (!profile.auxiliary.titles.enabled) return { kind: "skipped", reason: "disabled" };
  const exchange = await (input === "first" ? firstExchange : latestExchange)(deps.transcripts, session.id);
  if (exchange === null) return { kind: "skipped", reason: "no_text" };
  const outcome = await deps.withProfileEnv(profile, session.id, () =>
    generateInTime(deps, exchange, profile, session.model),
  );
  // A key that somebody wrote into the conversation does not become its name.
  const redacted = outcome.kind === "none" ? "" : createRedactor(profile.secrets).value(outcome.title);
  if (outcome.kind === "generated") return { kind: "title", title: redacted, reason: null };
  // Who asks for a better title gets one or keeps what there is (B-17); otherwise the user's own words do (B-16).
  if (manual || outcome.kind === "none") return { kind: "failed", reason: outcome.reason };
  return { kind: "title", title: redacted, reason: outcome.reason };
};

/** Never the server's own credentials instead (B-4). */
const refusedProfile = (error: unknown): "profile_missing" | "profile_unavailable" => {
  if (isTalariaError(error, "profile_not_found")) return "profile_missing";
  if (isTalariaError(error, "profile_unavailable")) return "profile_unavailable";
  throw error;
};

const generateInTime = async (
  { generate, deadlineMs, handBack, log }: TitleJobDeps,
  exchange: Exchange,
  profile: Profile,
  model: string | null,
): Promise<TitleOutcome> => {
  const deadline = AbortSignal.timeout(deadlineMs);
  const signal = AbortSignal.any([deadline, handBack]);
  try {
    return await generate({ exchange, routes: titleRoutes(profile, model), signal, log });
  } catch (error) {
    handBack.throwIfAborted();
    if (!deadline.aborted) throw error;
    log.debug({ reason: messageOf(error) }, "a title took too long");
    return withoutModel(exchange, 0, "timeout");
  }
};

const firstExchange = async (
  transcripts: TitleJobDeps["transcripts"],
  sessionId: string,
): Promise<Exchange | null> => {
  const messages: Message[] = [];
  for await (const message of transcripts.all(sessionId)) {
    messages.push(message);
    const [first] = message.role === "assistant" ? completeExchanges(messages) : [];
    if (first !== undefined) return first;
    if (messages.length >= LOOK_AT) return null;
  }
  return null;
};

const latestExchange = async (
  transcripts: TitleJobDeps["transcripts"],
  sessionId: string,
): Promise<Exchange | null> => {
  const messages: Message[] = [];
  for await (const { message } of transcripts.newestFirst(sessionId)) {
    messages.unshift(message);
    const latest = message.role === "user" ? completeExchanges(messages).at(-1) : undefined;
    if (latest !== undefined) return latest;
    if (messages.length >= LOOK_AT) return null;
  }
  return null;
};

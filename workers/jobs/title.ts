import { messageOf } from "../../common/base/errors.ts";
import type { Message } from "../../common/contracts/message.ts";
import type { LifecycleDeps } from "../../common/lifecycle/deps.ts";
import { createRedactor } from "../../common/logging/redact.ts";
import { completeExchanges, type Exchange } from "../../common/titles/exchange.ts";
import type { Transcripts } from "../../common/transcript/port.ts";
import { auxiliaryRoutes } from "../auxiliary/route.ts";
import { type GenerateTitle, type TitleOutcome, withoutModel } from "../titles/generate.ts";
import type { JobRun, JobWork } from "./work.ts";

export interface TitleWorkDeps {
  readonly write: Pick<LifecycleDeps["write"], "applyTitle">;
  readonly transcripts: Pick<Transcripts, "all" | "newestFirst">;
  readonly generate: GenerateTitle;
}

/** Four calls of 15 s (background-jobs B-7, B-13). */
const DEADLINE_MS = 60_000;
/** Messages in which the first, or the latest, exchange is looked for. */
const LOOK_AT = 200;

/** Gives a session its title (background-jobs 1). */
export const createTitleWork = (deps: TitleWorkDeps): JobWork => ({
  deadlineMs: DEADLINE_MS,
  // The decisive look is in the write; this one spares the call (B-10).
  skip: ({ session, manual }) => (session.title_source === "user" && !manual ? "manual_title" : null),
  async work(run) {
    const { job, input, manual, session, profile } = run;
    if (!profile.auxiliary.titles.enabled) return { kind: "skipped", reason: "disabled" };
    const exchange = await (input === "first" ? firstExchange : latestExchange)(deps.transcripts, session.id);
    if (exchange === null) return { kind: "skipped", reason: "no_text" };
    const outcome = await generateInTime(deps, exchange, run);
    // Who asks for a better title gets one or keeps what there is (B-17); otherwise the user's own words do (B-16).
    if (outcome.kind === "none" || (manual && outcome.kind === "fallback"))
      return { kind: "failed", reason: outcome.reason };
    // A key that somebody wrote into the conversation does not become its name.
    const title: string = createRedactor(profile.secrets).value(outcome.title);
    const reason = outcome.kind === "fallback" ? outcome.reason : null;
    return {
      kind: "apply",
      apply: () => deps.write.applyTitle(job.id, job.attempt, title, reason),
      reason,
    };
  },
});

const generateInTime = async (
  { generate }: TitleWorkDeps,
  exchange: Exchange,
  { profile, session, signal, late, log }: JobRun,
): Promise<TitleOutcome> => {
  const routes = auxiliaryRoutes(profile.auxiliary.titles, profile.model, session.model);
  try {
    return await generate({ exchange, routes, signal, log });
  } catch (error) {
    if (signal.reason !== late.reason || !late.aborted) throw error;
    log.debug({ reason: messageOf(error) }, "a title took too long");
    return withoutModel(exchange, 0, "timeout");
  }
};

const firstExchange = async (
  transcripts: TitleWorkDeps["transcripts"],
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
  transcripts: TitleWorkDeps["transcripts"],
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

import { isTalariaError, messageOf } from "../../common/base/errors.ts";
import { startRounds } from "../../common/base/rounds.ts";
import type { ClaimedJob } from "../../common/jobs/ledger.ts";
import type { LifecycleDeps } from "../../common/lifecycle/deps.ts";
import type { Dispatcher } from "../../common/lifecycle/dispatcher.ts";
import type { Logger } from "../../common/logging/logger.ts";
import type { Profile } from "../../common/profiles/port.ts";
import type { JobEnding, JobWorks } from "./work.ts";

export interface JobRunnerDeps {
  readonly read: Pick<LifecycleDeps["read"], "openAttempt">;
  readonly write: Pick<LifecycleDeps["write"], "claimJob" | "endJob" | "progressJob" | "handBackJob">;
  readonly dispatcher: Pick<Dispatcher, "handle">;
  readonly works: JobWorks;
  readonly resolveProfile: (name: string) => Promise<Profile>;
  /** Libraries that read process.env see the profile's variables, as in a run. */
  readonly withProfileEnv: <T>(profile: Profile, sessionId: string, work: () => Promise<T>) => Promise<T>;
  readonly workerName: string;
  /** Aborts when the worker hands its work back. */
  readonly handBack: AbortSignal;
  readonly log: Logger;
}

/** How often a job under way looks whether it was cancelled, or its session deleted, in milliseconds (B-21: 2 s at most). */
const LOOK_EVERY_MS = 500;

/**
 * Does background jobs, whatever their kind, by id and the profile whose queue they were in: claim, work, apply. Done twice a job has one effect (background-jobs B-2). Resolves
 * when nothing is left to do, whatever the models did; rejects for infrastructure failures and when it is handed back: the queue
 * then delivers it again.
 */
export const createJobRunner = (deps: JobRunnerDeps): ((jobId: string, profile: string) => Promise<void>) => {
  const { write, dispatcher } = deps;

  return async (jobId, queueOf) => {
    const { claimed, outbox } = await write.claimJob(jobId, deps.workerName, queueOf);
    await dispatcher.handle(outbox);
    if (claimed === null) return;
    const { attempt, profile, kind } = claimed.job;
    const log = deps.log.child({ job: jobId, session: claimed.session.id, profile, attempt });
    const ending = await endingOf(deps, claimed, log);
    if (ending === null) {
      log.info("job ends: it is cancelled, or another attempt's");
      return;
    }
    log.info({ kind, end: ending.kind, reason: ending.reason }, "job ends");
    await dispatcher.handle(
      ending.kind === "apply"
        ? await ending.apply()
        : await write.endJob(jobId, attempt, { state: ending.kind, reason: ending.reason }),
    );
  };
};

/** Null when the job is not this attempt's any more: nothing is to be said of it. */
const endingOf = async (deps: JobRunnerDeps, claimed: ClaimedJob, log: Logger): Promise<JobEnding | null> => {
  const { job, session } = claimed;
  const { deadlineMs, skip, work } = deps.works[job.kind];
  const nothing = skip?.(claimed) ?? null;
  if (nothing !== null) return { kind: "skipped", reason: nothing };
  const profile = await deps.resolveProfile(job.profile).catch((error: unknown) => refusedProfile(error));
  if (typeof profile === "string") return { kind: "failed", reason: profile };

  const over = new AbortController();
  const late = AbortSignal.timeout(deadlineMs);
  const looks = startRounds({
    work: async () => {
      if ((await deps.read.openAttempt(job.id)) !== job.attempt) over.abort(new Error("the job is over"));
    },
    pauseMs: () => LOOK_EVERY_MS,
    onError: (err) => log.debug({ err }, "a look at the job failed"),
  });
  const signal = AbortSignal.any([late, deps.handBack, over.signal]);
  const progress = async (at: Parameters<typeof deps.write.progressJob>[2]): Promise<void> => {
    try {
      await deps.dispatcher.handle(await deps.write.progressJob(job.id, job.attempt, at));
    } catch (error) {
      log.debug({ reason: messageOf(error) }, "a job's progress could not be told");
    }
  };
  try {
    const run = { ...claimed, profile, signal, late, log, progress };
    return await deps.withProfileEnv(profile, session.id, () => work(run));
  } catch (error) {
    if (over.signal.aborted) return null;
    if (deps.handBack.aborted) await handBack(deps, job, log);
    deps.handBack.throwIfAborted();
    if (!late.aborted) throw error;
    return { kind: "failed", reason: "timeout" };
  } finally {
    await looks.close();
  }
};

/** So that being given back does not count as a crash (B-40). Never rejects: one that could not be told of counts. */
const handBack = async (
  deps: JobRunnerDeps,
  { id, attempt }: ClaimedJob["job"],
  log: Logger,
): Promise<void> => {
  try {
    await deps.dispatcher.handle(await deps.write.handBackJob(id, attempt));
  } catch (error) {
    log.warn({ reason: messageOf(error) }, "a job was given back, and could not say so");
  }
};

/** Never the server's own credentials instead (B-4). */
const refusedProfile = (error: unknown): "profile_missing" | "profile_unavailable" => {
  if (isTalariaError(error, "profile_not_found")) return "profile_missing";
  if (isTalariaError(error, "profile_unavailable")) return "profile_unavailable";
  throw error;
};

import { isTalariaError } from "../../common/base/errors.ts";
import { createRunView, type RunView } from "../../common/contracts/run-view.ts";
import { createJournalWriter, type JournalWriter } from "../../common/journal/writer.ts";
import { readRunView } from "../../common/lifecycle/view.ts";
import { runLogger } from "../../common/logging/logger.ts";
import { NO_TRACES } from "../../common/tracing/traces.ts";
import type { ActiveRuns } from "./active-runs.ts";
import { Attempt, type AttemptDeps } from "./attempt.ts";
import type { Claim } from "./attempt-start.ts";
import { type AttemptTimes, createAttemptTimes } from "./attempt-times.ts";
import { handBack } from "./ending.ts";
import type { RunFigures } from "./run-figures.ts";

export interface ExecutorDeps extends AttemptDeps {
  readonly active: ActiveRuns;
  readonly workerName: string;
  readonly maxAttempts: number;
  readonly flushMs: number;
  /** What is counted of runs; absent: nothing. */
  readonly figures?: RunFigures;
}

/**
 * Executes one run: claim, evidence, engine, commit, end (DESIGN 6.3 to 6.6). Resolves when nothing is left for this job to
 * do, also when a newer attempt took the run over, or when the run is not of `profile`, whose queue the job was in: a job that
 * somebody edited brings no run into a pool that is not its own (security-contract 108). Rejects only for infrastructure failures; the queue tries again.
 */
export const createExecutor = (deps: ExecutorDeps) => {
  const { write } = deps.lifecycle;
  return async (runId: string, jobId: string, profile: string): Promise<void> => {
    for (;;) {
      const claim = await write.claimRun(runId, deps.workerName, jobId, deps.maxAttempts, profile);
      if (claim.kind === "finish_first") await deps.settler.finishFirst(claim.runId);
      else if (claim.kind !== "claimed") return;
      else if ((await runAttempt(deps, claim)) === "over") return;
    }
  };
};

/** One attempt. "again": Redis lost a part of what it wrote, so it must be claimed anew. */
const runAttempt = async (deps: ExecutorDeps, claim: Claim): Promise<"over" | "again"> => {
  const { lifecycle, active } = deps;
  const { run, generation } = claim.record;
  const { id, session_id, attempt, profile } = run;
  const log = runLogger(lifecycle.log, { run: id, session: session_id, attempt, profile });
  const owner = { sessionId: session_id, runId: id, generation, attempt };
  const execution = active.enter(id);
  const times = startTimes(deps, claim.record);
  let writer: JournalWriter | null = null;
  log.info({ worker: deps.workerName }, "run started");
  try {
    const taken = await lifecycle.journal.claim(owner, claim.minSeq);
    if (taken.status !== "ok") {
      log.warn({ status: taken.status }, "this attempt stops: the journal refused its claim");
      return "over";
    }
    const evidence = await lifecycle.read.evidence(id);
    const view =
      attempt === 1 ? startingAt(id, taken.lastRunSeq) : await readRunView(lifecycle.journal, session_id, id);
    if (view.parts.length > 0) times.goesOn();
    writer = createJournalWriter(lifecycle.journal, owner, {
      flushMs: deps.flushMs,
      lastRunSeq: taken.lastRunSeq,
      onCancelRequested: () => execution.stop("cancel"),
    });
    return await new Attempt(deps, {
      claim,
      evidence,
      view,
      writer,
      times,
      signal: execution.signal,
      log,
    }).run();
  } catch (error) {
    if (isTalariaError(error, "stale_generation")) {
      log.warn("this attempt stops: it does not own the run any more");
      return "over";
    }
    log.warn({ err: error }, "the attempt could not go on; giving the run back");
    times.over("given_back");
    await handBack(deps, id, generation, times.firstOutputAt);
    throw error;
  } finally {
    times.over("lost");
    execution.leave();
    writer?.close();
  }
};

/** Every attempt belongs to the trace that its run was accepted in. */
const startTimes = (
  { lifecycle: { traces = NO_TRACES }, workerName, figures }: ExecutorDeps,
  record: Claim["record"],
): AttemptTimes => {
  const { id, session_id, attempt, profile } = record.run;
  const attributes = {
    "talaria.run.id": id,
    "talaria.session.id": session_id,
    "talaria.attempt": attempt,
    "talaria.profile": profile,
    "talaria.worker": workerName,
  };
  const span = traces.start({ name: "run attempt", kind: "consumer", attributes }, record.traceparent);
  return createAttemptTimes({ record, span, figures: figures ?? null });
};

/** A first attempt needs no history, only the number that its next event gets. */
const startingAt = (runId: string, lastSeq: number): RunView => ({ ...createRunView(runId), lastSeq });

import { within } from "../../common/base/bounded-wait.ts";
import { isTalariaError } from "../../common/base/errors.ts";
import type { RunView } from "../../common/contracts/run-view.ts";
import { JournalRefused } from "../../common/journal/writer.ts";
import type { LifecycleDeps } from "../../common/lifecycle/deps.ts";
import type { Dispatcher } from "../../common/lifecycle/dispatcher.ts";
import { type EndReason, partialOutcome } from "../../common/lifecycle/outcome.ts";
import type { Settler } from "../../common/lifecycle/settle.ts";
import type { Outcome } from "../../common/runs/ledger.ts";
import type { AttemptStart } from "./attempt-start.ts";
import { endReasonOf, OUTPUT_LIMIT } from "./end-reason.ts";
import { RunStop } from "./stop.ts";

export interface EndingDeps {
  readonly lifecycle: Pick<LifecycleDeps, "read" | "write">;
  readonly settler: Pick<Settler, "release">;
  readonly dispatcher: Pick<Dispatcher, "handle">;
}

/** "over": nothing is left to do for this job. "again": claim once more. */
export type Verdict = "over" | "again";

/** How long a stop or a commit waits for the journal before it goes on without it, in milliseconds. */
const FLUSH_WAIT_MS = 2_000;

/** How an attempt ends: with its answer, with what it has shown so far, or back in the queue. */
export class Ending {
  private readonly deps: EndingDeps;
  private readonly start: AttemptStart;
  private readonly startedAt = performance.now();

  constructor(deps: EndingDeps, start: AttemptStart) {
    this.deps = deps;
    this.start = start;
  }

  /** What a throw out of the execution means for the run. Rejects with `stale_generation`, and for infrastructure failures. */
  async afterThrow(error: unknown): Promise<Verdict> {
    const { signal, log } = this.start;
    // A stop is a stop, whatever the interrupted provider says while it unwinds (C-16).
    const cause: unknown = signal.aborted ? signal.reason : error;
    if (cause instanceof JournalRefused) {
      if (cause.reason === "gap") return "again";
      if (cause.reason === "full") return this.partial(OUTPUT_LIMIT);
      log.warn({ reason: cause.reason }, "this attempt stops: the journal refused it");
      return "over";
    }
    if (cause instanceof RunStop)
      return cause.kind === "cancel" ? this.partial({ kind: "cancelled" }) : this.giveBack();
    if (isTalariaError(cause, "stale_generation")) throw cause;
    const reason = endReasonOf(cause);
    if (reason === null) throw cause;
    if (reason.code === "error") log.error({ err: cause }, "the run failed unexpectedly");
    return this.partial(reason);
  }

  private async giveBack(): Promise<Verdict> {
    const { claim, times, log } = this.start;
    await this.flushBriefly();
    times.over("given_back");
    await handBack(this.deps, claim.record.run.id, claim.record.generation, times.firstOutputAt);
    log.info(times.summary(), "run handed back to the queue");
    return "over";
  }

  /** Ends the run with what it has shown so far. */
  async partial(reason: EndReason): Promise<Verdict> {
    const { read } = this.deps.lifecycle;
    const { claim, view } = this.start;
    const [evidence, botName] = await Promise.all([
      read.evidence(claim.record.run.id),
      read.getSetting("bot_name").catch(() => null),
    ]);
    return this.commit(partialOutcome(reason, evidence, view, botName, null), view);
  }

  /** Database first: the answer is safe even while the journal cannot be written, and its end is told from there. */
  async commit(outcome: Outcome, view: RunView | "complete"): Promise<Verdict> {
    const { claim, times, log } = this.start;
    const { run, generation } = claim.record;
    const result = await times.commit(() =>
      this.deps.lifecycle.write.commitRun(run.id, generation, outcome, times.firstOutputAt),
    );
    if (result.kind === "stale") {
      log.warn("this attempt stops: it does not own the run any more");
      return "over";
    }
    if (result.kind === "cancelling") return this.partial({ kind: "cancelled" });
    // What the journal lacks is repaired from the transcript by whoever takes the outbox rows, and only then.
    const { writer } = this.start;
    if (await this.flushBriefly())
      await this.deps.settler.release(result, { view, lastRunSeq: writer.lastRunSeq });
    const { status, error, usage } = outcome;
    times.over(status, {
      "talaria.run.status": status,
      "error.type": error?.code,
      "gen_ai.usage.input_tokens": usage?.input_tokens,
      "gen_ai.usage.output_tokens": usage?.output_tokens,
    });
    // The whole story in one line: why it failed, and where its time went.
    log.info(
      { status, code: error?.code, reason: error?.message, seconds: this.elapsedS(), ...times.summary() },
      "run ended",
    );
    return "over";
  }

  /** Seconds since the claim. */
  elapsedS(): number {
    return (performance.now() - this.startedAt) / 1000;
  }

  private async flushBriefly(): Promise<boolean> {
    const { writer, times, log } = this.start;
    const flushed = times.journal(writer.flush()).then(
      () => true,
      (err: unknown) => {
        log.warn({ err }, "the journal does not hold everything; it will be repaired");
        return false;
      },
    );
    return within(flushed, FLUSH_WAIT_MS, false);
  }
}

/** Gives the run back to the queue; quiet when a newer attempt owns it or a stop is pending (its settler acts). */
export const handBack = async (
  { lifecycle, dispatcher }: Pick<EndingDeps, "lifecycle" | "dispatcher">,
  runId: string,
  generation: number,
  firstOutputAt: number | null,
): Promise<void> => {
  try {
    const { outbox } = await lifecycle.write.handBack(runId, generation, firstOutputAt);
    await dispatcher.handle(outbox);
  } catch (error) {
    if (!isTalariaError(error, "stale_generation")) throw error;
  }
};

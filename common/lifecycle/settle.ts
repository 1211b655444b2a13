import type { RunView } from "../contracts/run-view.ts";
import type { OutboxRow, Outcome, RunRecord } from "../runs/ledger.ts";
import type { LifecycleDeps } from "./deps.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { Finisher, Journaled } from "./finish.ts";
import { type EndReason, partialOutcome } from "./outcome.ts";
import { readRunView } from "./view.ts";

export interface Settler {
  /**
   * Ends a run that no worker answers for: takes the next generation, so that whoever held it is fenced, and commits what
   * the journal shows of it (reliability 9; C-7). Quiet when the run has ended by itself. Rejects when Redis is away.
   */
  settle(runId: string, reason: EndReason): Promise<void>;
  /** Journals the end of a run that was committed by a process that is gone, so that its session can go on. */
  finishFirst(runId: string): Promise<void>;
  /** After a commit: tells the end, then lets the session's next run start. Never rejects for what can be told later. */
  release(
    result: { readonly turn: Parameters<Finisher["conclude"]>[0]; readonly outbox: readonly OutboxRow[] },
    journaled: Journaled,
  ): Promise<void>;
}

/** What follows a turn's end and never comes before it is told. */
const AFTER_THE_END: ReadonlySet<OutboxRow["kind"]> = new Set(["dispatch", "job", "work", "wake", "deliver"]);

/** `name` stands for the process in the run's `worker` column. */
export const createSettler = (
  deps: LifecycleDeps,
  finisher: Finisher,
  dispatcher: Dispatcher,
  name: string,
): Settler => {
  const { read, write, journal, log } = deps;

  const outcomeOf = async (record: RunRecord, reason: EndReason, view: RunView): Promise<Outcome> => {
    const evidence = await read.evidence(record.run.id);
    const botName = await read.getSetting("bot_name").catch(() => null);
    return partialOutcome(
      record.cancelRequested ? { kind: "cancelled" } : reason,
      evidence,
      view,
      botName,
      null,
    );
  };

  const settler: Settler = {
    settle: async (runId, reason) => {
      const claim = await write.claimRun(runId, name, null, Number.MAX_SAFE_INTEGER);
      if (claim.kind === "finish_first") {
        await settler.finishFirst(claim.runId);
        return settler.settle(runId, reason);
      }
      if (claim.kind !== "claimed") return;
      const { run, generation } = claim.record;
      await journal.claim(
        { sessionId: run.session_id, runId, generation, attempt: run.attempt },
        claim.minSeq,
      );
      const view = await readRunView(journal, run.session_id, runId);
      const outcome = await outcomeOf(claim.record, reason, view);
      const result = await write.commitRun(runId, generation, outcome);
      if (result.kind !== "committed") return;
      log.info(
        {
          ...{ run: runId, session: run.session_id, profile: run.profile, attempt: run.attempt },
          ...{ status: outcome.status, code: outcome.error?.code, reason: outcome.error?.message },
          secondsSinceAccepted: Date.now() / 1000 - run.created_at,
        },
        "run settled without its worker",
      );
      await settler.release(result, { view, lastRunSeq: view.lastSeq });
    },

    finishFirst: async (runId) => {
      const finished = await finisher.finish(runId);
      await write.finishDone(runId, finished?.sessionId ?? null, finished?.seq ?? 0);
    },

    release: async ({ turn, outbox }, journaled) => {
      const { synced, seq } = await finisher.conclude(turn, journaled);
      const told = outbox.filter(
        (row) => (row.kind === "sync" && synced) || (row.kind === "finish" && seq !== null),
      );
      await write.outboxDone(told, seq === null ? [] : [[turn.session.id, seq]]);
      // Without the end in the journal the next run waits: its row falls due together with the `finish` row before it.
      if (seq !== null) await dispatcher.handle(outbox.filter((row) => AFTER_THE_END.has(row.kind)));
    },
  };
  return settler;
};

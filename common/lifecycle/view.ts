import { applyRunEvent, createRunView, type RunFrame, type RunView } from "../contracts/run-view.ts";
import type { Entry, Journal } from "../journal/port.ts";

const PAGE = 2_000;

export const frameOf = (entry: Entry): RunFrame => ({
  ...(JSON.parse(entry.data) as Record<string, unknown>),
  event: entry.event,
  run_id: entry.runId ?? "",
  run_seq: entry.runSeq,
  attempt: entry.attempt,
});

/** What the journal says the run has shown, folded from its first event on. */
export const readRunView = async (journal: Journal, sessionId: string, runId: string): Promise<RunView> => {
  const view = createRunView(runId);
  for (;;) {
    const entries = await journal.runRange(sessionId, runId, view.lastSeq, PAGE);
    for (const entry of entries) applyRunEvent(view, frameOf(entry));
    if (entries.length < PAGE) return view;
  }
};

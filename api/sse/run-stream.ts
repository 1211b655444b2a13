import { setTimeout as delay } from "node:timers/promises";
import { TalariaError } from "../../common/base/errors.ts";
import { isTerminal, type Run } from "../../common/contracts/run.ts";
import type { Journal } from "../../common/journal/port.ts";
import type { RunStore } from "../../common/runs/port.ts";
import type { SessionStore } from "../../common/sessions/port.ts";
import { resetFrame, runFrame, withJson } from "./events.ts";
import { followLog, goesOn, isLogRestart, LogRestart } from "./log-restart.ts";
import { type Hub, type HubEntry, LOG_START, type LogPosition } from "./port.ts";
import { type RunStart, resolveRunStart } from "./positions.ts";
import type { Pump } from "./pump.ts";

export interface StreamDeps {
  readonly sessions: SessionStore;
  readonly runs: RunStore;
  readonly journal: Journal;
  readonly hub: Hub;
  /** Writes an ended run's lost events again, from the transcript. */
  readonly rejournal: (runId: string) => Promise<void>;
  /** True for errors that mean "ask again later". */
  readonly isOutage: (error: unknown) => boolean;
}

/** Feeds an open stream until it is over. */
export type Feed = (pump: Pump) => Promise<void>;

const PAGE = 1000;
const OUTAGE_RETRY_MS = 500;

/**
 * Prepares the stream of one run: the position is settled here, before any header. Rejects with `run_not_found`, and
 * with an outage when the journal must be asked and cannot be; a run that has not ended and is followed from its start
 * needs no answer of the journal, so its stream opens and waits.
 */
export const prepareRunStream = async (
  deps: StreamDeps,
  runId: string,
  cursors: readonly string[],
): Promise<Feed> => {
  const run = await deps.runs.get(runId);
  const position = await resolveRunStart(deps.journal, { id: runId, sessionId: run.session_id }, cursors);
  if (!isTerminal(run.status)) return opening(deps, run, position);

  let span = await deps.journal.span(run.session_id, runId);
  if (span === null) {
    await deps.rejournal(runId);
    span = await deps.journal.span(run.session_id, runId);
  }
  if (span === null) throw new TalariaError("run_not_found", "there is no such run");
  // A cursor at the very end: the end is said once more, so that the client knows it has everything.
  if (position.kind === "after" && span.closed && position.runSeq >= span.lastRunSeq)
    return following(deps, run, { runSeq: span.lastRunSeq - 1, last: null });
  return opening(deps, run, position);
};

const opening = (deps: StreamDeps, run: Run, position: RunStart): Feed => {
  if (position.kind === "after") return following(deps, run, { runSeq: position.runSeq, last: position });
  const feed = following(deps, run, { runSeq: 0, last: null });
  return async (pump) => {
    if (position.reset) await pump.send([resetFrame(run.id, "unknown_cursor")]);
    await feed(pump);
  };
};

/** Everything after `runSeq`, live ones included, up to `stream_end`. `last` is the same place in the session's log, if known. */
const following =
  (deps: StreamDeps, run: Run, from: { readonly runSeq: number; readonly last: LogPosition | null }): Feed =>
  async (pump) => {
    const at = { ...from };
    const send = async (entries: readonly HubEntry[]): Promise<boolean> => {
      const frames: string[] = [];
      let ended = false;
      for (const entry of entries) {
        // A hole, or an entry from before: read the run's own numbering again instead of guessing.
        if (entry.runSeq !== at.runSeq + 1) break;
        frames.push(runFrame(entry, run.id));
        at.runSeq = entry.runSeq;
        at.last = entry;
        ended ||= entry.event === "stream_end";
      }
      await pump.send(frames);
      return ended;
    };

    while (!pump.signal.aborted) {
      try {
        // The position is taken before the pages are read: what is appended meanwhile is after it.
        const after = at.last ?? (await deps.journal.head(run.session_id)) ?? LOG_START;
        const page = await deps.journal.runRange(run.session_id, run.id, at.runSeq, PAGE);
        if (page.length > 0) {
          if (page[0]?.runSeq !== at.runSeq + 1) throw new Error("the journal of a run has a hole");
          if (!(await goesOn(deps.journal, run.session_id, at.last ?? LOG_START, page[0])))
            throw new LogRestart("entries that were sent are lost");
          if (await send(page.map(withJson))) return;
          continue;
        }
        let hole = false;
        for await (const batch of followLog(deps.hub, run.session_id, at.last ?? after, pump.signal)) {
          const entries = batch.filter(({ runId, runSeq }) => runId === run.id && runSeq > at.runSeq);
          if (entries.length > 0 && (await send(entries))) return;
          hole = at.runSeq < (entries.at(-1)?.runSeq ?? 0);
          if (hole) break;
        }
        if (!hole) return;
      } catch (error) {
        if (pump.signal.aborted) return;
        if (isLogRestart(error)) {
          await pump.send([resetFrame(run.id, "lost_tail")]);
          at.runSeq = 0;
          at.last = null;
        } else if (deps.isOutage(error)) {
          await delay(OUTAGE_RETRY_MS, undefined, { signal: pump.signal }).catch(() => undefined);
        } else throw error;
      }
    }
  };

import type { Run } from "../../common/contracts/run.ts";
import { type Entry, type Journal, runCursor, sessionCursor } from "../../common/journal/port.ts";
import type { RunStore } from "../../common/runs/port.ts";
import type { SessionStore } from "../../common/sessions/port.ts";
import { entryJson } from "./events.ts";
import { LOG_START, type LogPosition } from "./port.ts";

export interface TakenSnapshot {
  /** Text of one `Snapshot` (contracts/events.ts). */
  readonly json: string;
  /** The newest entry of the session's log that it includes. */
  readonly position: LogPosition;
}

const PAGE = 1000;

/**
 * A session as it is now: the session, its unfinished runs and what they have shown. Everything up to `position`
 * is in it and everything after it follows live, so nothing is missed between the two.
 */
export const takeSnapshot = async (
  stores: { readonly sessions: SessionStore; readonly runs: RunStore; readonly journal: Journal },
  sessionId: string,
): Promise<TakenSnapshot> => {
  // Asked before and after the position: a run that begins or ends meanwhile is in one of the two answers.
  const before = await stores.runs.unfinished(sessionId);
  const head = await stores.journal.head(sessionId);
  const session = await stores.sessions.get(sessionId);
  const unfinished = await stores.runs.unfinished(sessionId);
  const shown = new Map([...before, ...unfinished].map((run) => [run.id, run]));

  const position = head ?? LOG_START;
  const events: string[] = [];
  const cursors = new Map<string, string>();
  for (const run of shown.values()) {
    for await (const entry of entriesUpTo(stores.journal, run, position.seq)) {
      events.push(`{"event":${JSON.stringify(entry.event)},${entryJson(entry).slice(1)}`);
      cursors.set(run.id, runCursor(entry, run.id));
    }
  }
  const runs = unfinished.map((run) => ({ ...run, last_event_id: cursors.get(run.id) ?? null }));
  const last_event_id = head === null ? null : sessionCursor(head);
  const state = JSON.stringify({ session, runs, last_event_id });
  return { json: `${state.slice(0, -1)},"events":[${events.join(",")}]}`, position };
};

async function* entriesUpTo(journal: Journal, run: Run, seq: number): AsyncGenerator<Entry, void, undefined> {
  for (let after = 0; ; ) {
    const page = await journal.runRange(run.session_id, run.id, after, PAGE);
    for (const entry of page) {
      if (entry.seq > seq) return;
      yield entry;
      after = entry.runSeq;
    }
    if (page.length === 0) return;
  }
}

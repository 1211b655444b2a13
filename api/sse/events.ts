import type { z } from "zod";
import type { RESET_SCHEMA, SessionsChanged } from "../../common/contracts/events.ts";
import { type Entry, runCursor, sessionCursor } from "../../common/journal/port.ts";
import { frameText } from "./frame.ts";
import type { HubEntry } from "./port.ts";

/** Adds the envelope to an entry that was read from the journal directly, in the form that the hub gives. */
export const withJson = (entry: Entry): HubEntry => ({ ...entry, json: entryJson(entry) });

/** `data` of an entry's frame: the payload, for run events behind the envelope `run_id`, `run_seq`, `attempt`. */
export const entryJson = ({ runId, runSeq, attempt, data }: Entry): string => {
  if (runId === null) return data;
  const envelope = `{"run_id":${JSON.stringify(runId)},"run_seq":${runSeq},"attempt":${attempt}`;
  const rest = data.trimStart().slice(1);
  return rest.trimStart().startsWith("}") ? `${envelope}}` : `${envelope},${rest}`;
};

/** An entry on its run's own stream. */
export const runFrame = (entry: HubEntry, runId: string): string =>
  frameText({ event: entry.event, id: runCursor(entry, runId), data: entry.json });

/** An entry on its session's stream. */
export const sessionFrame = (entry: HubEntry): string =>
  frameText({ event: entry.event, id: sessionCursor(entry), data: entry.json });

/** Says that history starts again before the first replayed event. */
export const resetFrame = (runId: string | null, reason: z.infer<typeof RESET_SCHEMA>["reason"]): string =>
  frameText({ event: "reset", id: null, data: JSON.stringify({ run_id: runId, reason }) });

/** State instead of history; `json` comes from `createSnapshots`. */
export const snapshotFrame = (json: string): string => frameText({ event: "snapshot", id: null, data: json });

/** A hint that the list of sessions changed. */
export const hintFrame = (hint: SessionsChanged): string =>
  frameText({ event: "sessions_changed", id: null, data: JSON.stringify(hint) });

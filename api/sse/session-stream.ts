import { hintFrame, resetFrame, sessionFrame, snapshotFrame } from "./events.ts";
import { followLog, isLogRestart } from "./log-restart.ts";
import { LOG_START, type LogPosition } from "./port.ts";
import { resolveSessionStart } from "./positions.ts";
import type { Pump } from "./pump.ts";
import type { Feed, StreamDeps } from "./run-stream.ts";
import { takeSnapshot } from "./snapshot.ts";

/**
 * Prepares the stream of one session across its runs; the position is settled here, before any header. Rejects with
 * `session_not_found`, and with an outage when the journal cannot be asked.
 */
export const prepareSessionStream = async (
  deps: StreamDeps,
  sessionId: string,
  cursors: readonly string[],
): Promise<Feed> => {
  await deps.sessions.get(sessionId);
  const position = await resolveSessionStart(deps.journal, sessionId, cursors);
  if (position.kind === "start") return following(deps, sessionId, LOG_START);
  if (position.kind === "after") return following(deps, sessionId, position);
  const snapshot = await takeSnapshot(deps, sessionId);
  const feed = following(deps, sessionId, snapshot.position);
  return async (pump) => {
    const reset = position.reset ? [resetFrame(null, "unknown_cursor")] : [];
    await pump.send([...reset, snapshotFrame(snapshot.json)]);
    await feed(pump);
  };
};

/** The one connection of a tab: hints about the list, and the session in view if one is named. */
export const prepareTabStream = async (
  deps: StreamDeps,
  sessionId: string | null,
  cursors: readonly string[],
): Promise<Feed> => {
  const session = sessionId === null ? null : await prepareSessionStream(deps, sessionId, cursors);
  return async (pump) => {
    const feeds = [hinting(deps, pump)];
    if (session !== null) feeds.push(session(pump));
    // One feed that ends ends the stream: the client comes back for both.
    await Promise.race(feeds).finally(() => pump.end());
    await Promise.allSettled(feeds);
  };
};

const hinting = async ({ hub }: StreamDeps, pump: Pump): Promise<void> => {
  for await (const hint of hub.hints(pump.signal)) await pump.send([hintFrame(hint)]);
};

const following =
  (deps: StreamDeps, sessionId: string, from: LogPosition): Feed =>
  async (pump) => {
    let after = from;
    while (!pump.signal.aborted) {
      try {
        for await (const batch of followLog(deps.hub, sessionId, after, pump.signal)) {
          await pump.send(batch.map(sessionFrame));
          after = batch.at(-1) ?? after;
        }
        return;
      } catch (error) {
        if (pump.signal.aborted || !isLogRestart(error)) throw error;
        const snapshot = await takeSnapshot(deps, sessionId);
        await pump.send([resetFrame(null, "lost_tail"), snapshotFrame(snapshot.json)]);
        after = snapshot.position;
      }
    }
  };

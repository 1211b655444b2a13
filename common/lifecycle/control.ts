import { isTalariaError } from "../base/errors.ts";
import { cancelNotice } from "../contracts/notices.ts";
import { entryOf, type LifecycleDeps } from "./deps.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { Finisher } from "./finish.ts";
import type { RunControl } from "./port.ts";
import type { Settler } from "./settle.ts";

/** What the HTTP layer may ask of runs and sessions beyond reading and accepting. */
export const createRunControl = (
  deps: LifecycleDeps,
  finisher: Finisher,
  dispatcher: Dispatcher,
  settler: Settler,
): RunControl => {
  const { read, write, journal, log } = deps;

  const tellWorker = (sessionId: string, runId: string): void => {
    deps.wakeCancel(runId);
    journal.requestCancel(sessionId, runId).catch((err: unknown) => {
      log.debug(
        { err, run: runId },
        "the stop could not be hinted to the worker; it will find it in the database",
      );
    });
  };

  return {
    cancel: async (runId) => {
      const botName = await read.getSetting("bot_name").catch(() => null);
      const content = cancelNotice(botName, { beforeStart: true });
      const result = await write.cancelRun(runId, { role: "notice", content, status: "cancelled" });
      switch (result.kind) {
        case "ended":
          return { run: result.run, ended: true };
        case "settled":
          void dispatcher.handle(result.outbox);
          break;
        case "cancelling":
          tellWorker(result.run.session_id, runId);
          break;
        case "take_over":
          await settler.settle(runId, { kind: "cancelled" }).catch((err: unknown) => {
            log.warn({ err, run: runId }, "the stopped run will be settled when the journal is back");
          });
      }
      deps.hint({ session_id: result.run.session_id, profile: result.run.profile });
      return { run: await read.getRun(runId), ended: false };
    },

    deleteSession: async (sessionId) => {
      const { generation, runIds, profile } = await write.deleteSession(sessionId);
      for (const runId of runIds) deps.wakeCancel(runId);
      await journal.remove(sessionId, generation).catch((err: unknown) => {
        log.warn({ err, session: sessionId }, "the journal of a deleted session could not be removed");
      });
      deps.hint({ session_id: sessionId, profile });
    },

    rejournal: async (runId) => {
      await finisher.finish(runId);
    },

    sessionChanged: async (sessionId, reason) => {
      try {
        const { session, generation, minSeq } = await read.sessionFence(sessionId);
        deps.hint({ session_id: sessionId, profile: session.profile });
        await journal.announce(
          { sessionId, runId: null, generation, attempt: 0, minSeq },
          `revision-${session.revision}`,
          [entryOf({ event: "session_changed", payload: { session, reason } })],
        );
      } catch (err) {
        if (!isTalariaError(err, "session_not_found")) {
          log.warn({ err, session: sessionId }, "a change of the session could not be journaled");
        }
      }
    },
  };
};

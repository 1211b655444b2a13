import { cancelNotice } from "../contracts/notices.ts";
import { ownRowsOf } from "../sessions/own-rows.ts";
import { deriveUid } from "../state-db/uid.ts";
import { announceSession } from "./announce.ts";
import type { LifecycleDeps } from "./deps.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { Finisher } from "./finish.ts";
import type { RunControl } from "./port.ts";
import type { Settler } from "./settle.ts";
import { renameInStore } from "./store-title.ts";

/** What the HTTP layer may ask of runs and sessions beyond reading and accepting. */
export const createRunControl = (
  deps: LifecycleDeps,
  finisher: Finisher,
  dispatcher: Dispatcher,
  settler: Settler,
): RunControl => {
  const { read, write, journal, log, newestRow } = deps;

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
          log.info(
            {
              ...{
                run: runId,
                session: result.run.session_id,
                profile: result.run.profile,
                status: "cancelled",
              },
              secondsSinceAccepted: Date.now() / 1000 - result.run.created_at,
            },
            "run ended before it began",
          );
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
      const own = ownRowsOf(await read.ownMessages(sessionId), deriveUid);
      const { generation, runIds, profile } = await write.deleteSession(
        sessionId,
        await newestRow(sessionId),
        own,
      );
      for (const runId of runIds) deps.wakeCancel(runId);
      await journal.remove(sessionId, generation).catch((err: unknown) => {
        log.warn({ err, session: sessionId }, "the journal of a deleted session could not be removed");
      });
      deps.hint({ session_id: sessionId, profile });
    },

    dropProfile: async (profile, anyway) => {
      const dropped = await write.dropProfile(profile, anyway);
      for (const { id, generation, runIds } of dropped) {
        for (const runId of runIds) deps.wakeCancel(runId);
        await journal.remove(id, generation).catch((err: unknown) => {
          log.warn({ err, session: id }, "the journal of a deleted session could not be removed");
        });
      }
      if (dropped.length > 0) deps.hint({ profile });
    },

    rejournal: async (runId) => {
      const told = await finisher.finish(runId);
      if (told === null) return;
      // Maintenance has gone past it: without an archive it would stay in Redis for ever, and be lost with it again.
      await journal.archive(told.sessionId, runId).catch((err: unknown) => {
        log.warn({ err, run: runId }, "a run that was journaled again could not be archived");
      });
    },

    sessionChanged: async (sessionId, reason) => {
      try {
        await announceSession(deps, sessionId, reason);
        if (reason === "patched") await renameInStore(deps, sessionId);
      } catch (err) {
        log.warn({ err, session: sessionId }, "a change of the session could not be told");
      }
    },
    hint: ({ id, profile }) => deps.hint({ ...(id === undefined ? {} : { session_id: id }), profile }),
    tell: (rows) => dispatcher.handle(rows),
  };
};

import { type Rounds, startRounds } from "../base/rounds.ts";
import type { LifecycleDeps } from "./deps.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { WakeOptions } from "./wake.ts";

const EVERY_MS = 3_000;
/** A worker that has said nothing of a process for this long is gone, and the process with it; see `BEAT_MS` of its supervisor. */
export const PROCESS_SILENT_S = 15;
const LIMIT = 200;

/**
 * Looks, in every process, for what a dead one left of background processes: those whose worker is gone, ends that began no turn though
 * their session is idle, pauses that a changed configuration lifts (background-jobs B-36, B-39).
 */
export const startWakeRounds = (
  { read, write, log }: Pick<LifecycleDeps, "read" | "write" | "log">,
  dispatcher: Pick<Dispatcher, "handle" | "wake">,
  { termsOf, maxAgeS }: WakeOptions,
): Rounds => {
  const nowS = (): number => Date.now() / 1000;

  const liftPauses = async (): Promise<void> => {
    for (const { profile, revision } of await read.pausedWakes(LIMIT)) {
      const terms = await termsOf(profile).catch(() => null);
      if (terms !== null && terms.revision !== revision) await write.liftWakes(profile, terms.revision);
    }
  };

  return startRounds({
    work: async () => {
      const silentSince = nowS() - PROCESS_SILENT_S;
      if (await read.anyLostProcess(silentSince)) {
        log.warn("background processes have ended with their worker");
        await dispatcher.handle(await write.endLostProcesses(silentSince));
      }
      await liftPauses();
      const staleBefore = maxAgeS === 0 ? 0 : nowS() - maxAgeS;
      for (const sessionId of await read.sessionsToWake(staleBefore, LIMIT)) await dispatcher.wake(sessionId);
    },
    // Jitter keeps processes from looking at the same moment.
    pauseMs: () => EVERY_MS * (0.8 + Math.random() * 0.4),
    onError: (err) => log.warn({ err }, "a look at background processes failed; the next one follows"),
  });
};

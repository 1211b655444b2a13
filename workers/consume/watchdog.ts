import { startRounds } from "../../common/base/rounds.ts";
import type { Logger } from "../../common/logging/logger.ts";
import type { Consumer } from "./consumer.ts";

export interface Watchdog {
  /** Since when a kind of job has not been taken; epoch seconds, null while all is well. */
  readonly stalledSince: number | null;
  /** How often connections were restarted since the worker began. */
  readonly restarts: number;
  /** Resolves, with the reason, when restarting did not help: somebody has to replace this process. */
  readonly gaveUp: Promise<string>;
  close(): Promise<void>;
}

/** Restarts that are tried before the worker is given up. */
const MAX_RESTARTS = 2;
/** Looks per `stallMs`. */
const LOOKS = 8;

/**
 * Notices that jobs are not taken any more: a connection that is open for one side only, a look that never comes to its end. It says
 * so, restarts connections, twice, and gives up after about four times `stallMs`. While Redis does not answer on another connection
 * either, nobody else could do better: then it neither counts nor gives up. What is counted are its own rounds, so that a machine that
 * slept, or a process that was stopped, is not taken for a stall.
 */
export const startWatchdog = ({
  consumers,
  stallMs,
  answers,
  restart,
  log,
  nowS = () => Date.now() / 1000,
}: {
  /** By kind of job. */
  readonly consumers: ReadonlyMap<string, Pick<Consumer, "looks">>;
  readonly stallMs: number;
  /** Whether Redis answers on a connection that has nothing to do with jobs. Bounded. */
  readonly answers: () => Promise<boolean>;
  readonly restart: () => void;
  readonly log: Logger;
  readonly nowS?: () => number;
}): Watchdog => {
  const seen = new Map<string, number>();
  const still = new Map<string, number>();
  const { promise: gaveUp, resolve: giveUp } = Promise.withResolvers<string>();
  let stalledSince: number | null = null;
  let restarts = 0;
  /** Restarts of the stall that goes on. */
  let tried = 0;
  /** Rounds since something was done about it last. */
  let waited = 0;
  let isAway = false;

  /** The kinds that have not been taken for `stallMs`. */
  const stuck = (): readonly string[] =>
    [...consumers].flatMap(([kind, { looks }]) => {
      const rounds = seen.get(kind) === looks ? (still.get(kind) ?? 0) + 1 : 0;
      seen.set(kind, looks);
      still.set(kind, rounds);
      return rounds >= LOOKS ? [kind] : [];
    });

  const round = async (): Promise<void> => {
    const kinds = stuck();
    if (kinds.length === 0) {
      if (stalledSince !== null)
        log.warn({ stalled_since: stalledSince, restarts: tried }, "jobs are taken again");
      stalledSince = null;
      tried = 0;
      waited = 0;
      return;
    }
    waited += 1;
    if (stalledSince !== null && waited < LOOKS) return;
    waited = 0;
    const first = stalledSince === null;
    stalledSince ??= nowS() - stallMs / 1000;
    if (!(await answers())) {
      if (!isAway) log.warn({ kinds }, "no jobs are taken: Redis does not answer");
      isAway = true;
      tried = 0;
      return;
    }
    isAway = false;
    const reason = `no ${kinds.join(", ")} were taken for ${Math.round(nowS() - stalledSince)} s, though Redis answers`;
    if (!first && tried >= MAX_RESTARTS) {
      log.error({ reason, restarts: tried }, "restarting connections did not help: this worker ends");
      giveUp(reason);
      return;
    }
    tried += 1;
    restarts += 1;
    log.warn(
      { reason, stalled_since: stalledSince, restarts },
      "this worker is stalled: its connections are restarted",
    );
    restart();
  };

  const rounds = startRounds({
    work: round,
    pauseMs: () => stallMs / LOOKS,
    onError: (err) => log.error({ err }, "the watchdog stumbled"),
  });
  return {
    get stalledSince() {
      return stalledSince;
    },
    get restarts() {
      return restarts;
    },
    gaveUp,
    close: rounds.close,
  };
};

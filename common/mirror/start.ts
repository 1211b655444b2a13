import type { Session } from "../contracts/session.ts";
import { createBringUp } from "./bring-up.ts";
import type { MirrorDeps } from "./deps.ts";
import { followStore } from "./follow.ts";

export interface Mirror {
  /** Makes a session's counters true now and tells its followers what is to be told. Never rejects. */
  refresh(sessionId: string): Promise<void>;
  /** Takes our rows out of the stores' histories where a cut or a deletion said so. */
  settle(): Promise<void>;
  /** Lets the leases go, ends the watchers and waits for what was begun. */
  close(): Promise<void>;
}

/** How long a dead leader keeps a profile's file from being followed, in seconds, and how often a living one renews. */
const LEASE_S = 4;
const LOOK_EVERY_MS = 1_000;
/** Sessions that are counted between two looks at the lease. */
const COUNT_BATCH = 8;
const INDEX_ROWS = 1_000;

/**
 * Keeps `sessions`, their counters and the search index true to the state.db of every profile. Runs in every process; each
 * file is followed by the one that holds its lease, and by another one a few seconds after that one died.
 */
export const startMirror = (deps: MirrorDeps): Mirror => {
  const { read, write, log, name } = deps;
  const bringUp = createBringUp(deps);
  const stop = new AbortController();
  const led = new Map<string, { readonly leave: AbortController; readonly over: Promise<void> }>();
  const leaseOf = (profile: string): string => `mirror:${profile}`;

  const lead = (profile: string): void => {
    const leave = new AbortController();
    const signal = AbortSignal.any([leave.signal, stop.signal]);
    const failed = (what: string) => (err: unknown) => log.warn({ err, profile }, what);
    const over = Promise.all([
      followStore(deps, bringUp, profile, signal).catch(failed("state.db is not followed")),
      inBackground(deps, bringUp, profile, signal).catch(failed("sessions of state.db are not counted")),
    ]).then(() => {
      led.delete(profile);
    });
    led.set(profile, { leave, over });
  };

  const look = async (): Promise<void> => {
    const profiles = await deps.profiles();
    for (const profile of profiles) {
      const mine = await write.takeLease(leaseOf(profile), name, LEASE_S);
      const leading = led.get(profile);
      if (mine && leading === undefined) lead(profile);
      // Somebody else follows the file: two would only do the work twice, since every write is guarded.
      if (!mine) leading?.leave.abort();
    }
    for (const [profile, { leave }] of led) if (!profiles.includes(profile)) leave.abort();
    if (led.size > 0) await settle();
  };

  const settle = async (): Promise<void> => {
    for (const cut of await read.undoneCuts(20)) {
      const { id, profile, store_id, own } = cut;
      // The rows are named one by one, and some of them were written after the cut.
      const whole = { keepThrough: 0, cutRowId: Number.MAX_SAFE_INTEGER };
      const done =
        store_id === null ||
        (await deps.canonical.rewindOwn({ ...{ profile, storeId: store_id, rows: own }, ...whole }));
      if (done) await write.cutDone(id);
    }
    for (const { session_id, profile, store_id, own } of await read.unburied(20)) {
      const done =
        store_id === null || (await deps.canonical.deleteOwn({ profile, storeId: store_id, rows: own }));
      if (done) await write.burialDone(session_id, own);
    }
  };

  let timer: ReturnType<typeof setTimeout> | undefined;
  let pass: Promise<void> = Promise.resolve();
  const round = (): void => {
    pass = look()
      .catch((err: unknown) => log.warn({ err }, "a look at the state.db files failed; the next one follows"))
      .then(() => {
        if (!stop.signal.aborted) timer = setTimeout(round, LOOK_EVERY_MS);
      });
  };
  round();

  return {
    refresh: async (sessionId) => {
      try {
        await bringUp(sessionId);
        await deps.dispatcher.handle(await write.takeChanges(sessionId));
      } catch (err) {
        log.warn({ err, session: sessionId }, "the session's counters will be made true later");
      }
    },
    settle: () => settle().catch((err: unknown) => log.warn({ err }, "cuts will be settled later")),
    close: async () => {
      stop.abort();
      clearTimeout(timer);
      await pass;
      clearTimeout(timer);
      const mine = [...led];
      await Promise.all(mine.map(([, { over }]) => over));
      for (const [profile] of mine) await write.dropLease(leaseOf(profile), name).catch(() => {});
    },
  };
};

/** What may take its time: the first count of every session, newest first, and the search index. */
const inBackground = async (
  deps: MirrorDeps,
  bringUp: (sessionId: string) => Promise<Session | null>,
  profile: string,
  signal: AbortSignal,
): Promise<void> => {
  const path = await deps.stores.pathOf(profile);
  while (!signal.aborted) {
    const store = await deps.read.getStore(profile);
    if (store?.state !== "ok") {
      await pause(BACKGROUND_PAUSE_MS, signal);
      continue;
    }
    const uncounted = await deps.read.uncounted(profile, COUNT_BATCH);
    for (const { sessionId } of uncounted) {
      if (signal.aborted) return;
      await bringUp(sessionId);
    }
    let isBusy = uncounted.length === COUNT_BATCH;
    if (!(await deps.read.isIndexed(profile))) {
      const done = await deps.search.indexSome(profile, path, INDEX_ROWS);
      if (done.state === "ok" && done.more) isBusy = true;
      else if (done.state === "ok") await deps.write.markIndexed(profile, store.watermark ?? 0);
    }
    if (uncounted.length > 0 && uncounted.length < COUNT_BATCH) deps.hint({ profile });
    if (!isBusy) await pause(BACKGROUND_PAUSE_MS, signal);
  }
};

const BACKGROUND_PAUSE_MS = 300;

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
  });

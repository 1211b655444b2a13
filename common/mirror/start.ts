import { startRounds } from "../base/rounds.ts";
import { DEFAULT_PROFILE } from "../profiles/names.ts";
import { countInBackground, indexInBackground } from "./background.ts";
import { createBringUp } from "./bring-up.ts";
import type { MirrorDeps } from "./deps.ts";
import { followStore } from "./follow.ts";
import { indexImports } from "./index-imports.ts";

export interface Mirror {
  /**
   * Makes a session's counters true, those of a long session in a while, and tells its followers what is to be told. Never
   * rejects.
   */
  refresh(sessionId: string): Promise<void>;
  /** Takes our rows out of the stores' histories where a cut or a deletion said so. */
  settle(): Promise<void>;
  /** Lets the leases go, ends the watchers and waits for what was begun. */
  close(): Promise<void>;
}

/** How long a dead leader keeps a profile's file from being followed, in seconds, and how often a living one renews. */
const LEASE_S = 4;
const LOOK_EVERY_MS = 1_000;
const IMPORTS_EVERY_MS = 5_000;
/** What somebody who takes a turn back waits for a count; a longer one is done in the background. */
const REFRESH_MS = 250;

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
      countInBackground(deps, bringUp, profile, signal).catch(failed("sessions of state.db are not counted")),
      indexInBackground(deps, profile, signal).catch(failed("messages of state.db are not indexed")),
    ]).then(() => {
      led.delete(profile);
    });
    led.set(profile, { leave, over });
  };

  let importsDue = 0;
  const aside: { settle?: Promise<void> | undefined; imports?: Promise<void> | undefined } = {};
  const inBackground = (what: string, work: () => Promise<void>, slot: keyof typeof aside): Promise<void> =>
    work()
      .catch((err: unknown) => log.warn({ err }, what))
      .then(() => {
        aside[slot] = undefined;
      });
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
    // Not waited for: a file that is locked for long must not cost the lease.
    if (led.size > 0) aside.settle ??= inBackground("cuts will be settled later", settle, "settle");
    if (led.has(DEFAULT_PROFILE) && performance.now() > importsDue) {
      importsDue = performance.now() + IMPORTS_EVERY_MS;
      aside.imports ??= inBackground("imports will be indexed later", () => indexImports(deps), "imports");
    }
  };

  const settle = async (): Promise<void> => {
    for (const cut of await read.undoneCuts(20)) {
      const { id, profile, store_id, file, own } = cut;
      const store = await read.getStore(profile);
      // Row ids mean something only in the file they are of; identities mean something in every one (c.4).
      const isSame = file === null || store?.file == null || store.file === file;
      const rows = isSame ? own : own.map(({ uid }) => ({ uid, rowId: null }));
      if (await deps.canonical.rewindOwn({ profile, storeId: store_id, rows })) await write.cutDone(id);
    }
    for (const { session_id, profile, store_id, own } of await read.unburied(20)) {
      const done =
        store_id === null || (await deps.canonical.deleteOwn({ profile, storeId: store_id, rows: own }));
      if (done) await write.burialDone(session_id, own);
    }
  };

  const looks = startRounds({
    work: look,
    pauseMs: () => LOOK_EVERY_MS,
    onError: (err) => log.warn({ err }, "a look at the state.db files failed; the next one follows"),
  });

  return {
    refresh: async (sessionId) => {
      try {
        await bringUp(sessionId, { withinMs: REFRESH_MS });
        await deps.dispatcher.handle(await write.takeChanges(sessionId));
      } catch (err) {
        log.warn({ err, session: sessionId }, "the session's counters will be made true later");
      }
    },
    settle: () => settle().catch((err: unknown) => log.warn({ err }, "cuts will be settled later")),
    close: async () => {
      stop.abort();
      await looks.close();
      const mine = [...led];
      await Promise.all([...mine.map(([, { over }]) => over), aside.settle, aside.imports]);
      for (const [profile] of mine) await write.dropLease(leaseOf(profile), name).catch(() => {});
    },
  };
};

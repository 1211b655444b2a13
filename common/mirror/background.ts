import { setTimeout as sleep } from "node:timers/promises";
import pLimit from "p-limit";
import type { BringUp } from "./bring-up.ts";
import type { MirrorDeps } from "./deps.ts";

/** Sessions of one round of counting, and how many of them at once: their commits share a sync of the disk. */
const COUNT_BATCH = 64;
const COUNT_PARALLEL = 32;
/** A count that takes longer may have missed rows that came meanwhile. */
const LONG_COUNT_MS = 100;
const INDEX_ROWS = 1_000;
const PAUSE_MS = 300;

/** What may take its time: counts sessions whose number is a guess or out of date, newest first. Resolves at the abort. */
export const countInBackground = (
  deps: MirrorDeps,
  bringUp: BringUp,
  profile: string,
  signal: AbortSignal,
): Promise<void> => {
  const { read, write, dispatcher, hint } = deps;
  const limit = pLimit(COUNT_PARALLEL);
  const count = async (id: string): Promise<void> => {
    if (signal.aborted) return;
    const started = performance.now();
    let news = await bringUp(id, { late: true, signal });
    // Nothing else says so again.
    if (performance.now() - started > LONG_COUNT_MS) news = (await bringUp(id, { signal })) ?? news;
    if (news !== null) await dispatcher.handle(await write.takeChanges(id));
  };
  let before = "";
  return again(deps, profile, signal, async () => {
    const isReadable = (await read.getStore(profile))?.state === "ok";
    const uncounted = isReadable ? await read.uncounted(profile, COUNT_BATCH) : [];
    await Promise.all(uncounted.map((id) => limit(() => count(id))));
    if (uncounted.length > 0 && uncounted.length < COUNT_BATCH) hint({ profile });
    // The same ones again: their file cannot be read right now.
    const these = uncounted.join(" ");
    const isBusy = uncounted.length === COUNT_BATCH && these !== before;
    before = these;
    return isBusy;
  });
};

/** Brings the search index up to the file, in a thread of the index's own. Resolves at the abort. */
export const indexInBackground = (deps: MirrorDeps, profile: string, signal: AbortSignal): Promise<void> =>
  again(deps, profile, signal, async () => {
    if (await deps.read.isIndexed(profile)) return false;
    const store = await deps.read.getStore(profile);
    if (store?.state !== "ok") return false;
    const path = await deps.stores.pathOf(profile);
    const done = await deps.search.indexSome(profile, path, INDEX_ROWS);
    if (done.state !== "ok") return false;
    if (!done.more) await deps.write.markIndexed(profile, store.watermark ?? 0);
    return done.more;
  });

/** Works until the abort: at once while there is more to do, else after a pause. */
const again = async (
  { log }: Pick<MirrorDeps, "log">,
  profile: string,
  signal: AbortSignal,
  work: () => Promise<boolean>,
): Promise<void> => {
  while (!signal.aborted) {
    const isBusy = await work().catch((err: unknown) => {
      log.warn({ err, profile }, "counting or indexing of state.db failed; it is tried again");
      return false;
    });
    // Ends with the abort.
    if (!isBusy) await sleep(PAUSE_MS, undefined, { signal }).catch(() => {});
  }
};

import { Worker } from "node:worker_threads";

/** What the thread gets: one counter, shared, and how often and how long it looks. */
export interface LoopWatchData {
  readonly beats: SharedArrayBuffer;
  readonly everyMs: number;
  /** Looks without a beat after which the process is ended. */
  readonly limit: number;
}

const LOOKS = 20;

/**
 * Ends this process with SIGKILL when its event loop stands still for `limitMs`: nothing in it could notice that itself, and its
 * runs are taken over when their leases run out. A thread counts its own looks, so that the time in which the whole process was
 * stopped, or the machine slept, does not count.
 */
export const startLoopWatch = (limitMs: number): { close(): Promise<void> } => {
  const beats = new SharedArrayBuffer(4);
  const counter = new Int32Array(beats);
  const everyMs = Math.max(100, Math.round(limitMs / LOOKS));
  const timer = setInterval(() => Atomics.add(counter, 0, 1), everyMs / 2);
  timer.unref();
  const workerData: LoopWatchData = { beats, everyMs, limit: LOOKS };
  const thread = new Worker(new URL("./loop-watch-thread.ts", import.meta.url), {
    workerData,
    // It needs nothing of what the process knows.
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 },
  });
  thread.unref();
  return {
    close: async () => {
      clearInterval(timer);
      await thread.terminate();
    },
  };
};

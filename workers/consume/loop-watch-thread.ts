import { writeSync } from "node:fs";
import { workerData } from "node:worker_threads";
import type { LoopWatchData } from "./loop-watch.ts";

/** The thread of loop-watch.ts. It writes the log's line itself: the logger's own thread waits for the one that stands still. */
const { beats, everyMs, limit } = workerData as LoopWatchData;
const counter = new Int32Array(beats);
/** Never notified: waiting on it is a pause. */
const pause = new Int32Array(new SharedArrayBuffer(4));

let last = 0;
let missed = 0;
for (;;) {
  Atomics.wait(pause, 0, 0, everyMs);
  const now = Atomics.load(counter, 0);
  missed = now === last ? missed + 1 : 0;
  last = now;
  if (missed >= limit) break;
}
const line = {
  ...{ level: 60, time: new Date().toISOString(), pid: process.pid, name: "worker" },
  reason: `the event loop stood still for ${(missed * everyMs) / 1000} s`,
  msg: "this worker is stalled and cannot go on: it is ended",
};
try {
  writeSync(1, `${JSON.stringify(line)}\n`);
} catch {
  // Nobody reads: it is ended all the same.
}
process.kill(process.pid, "SIGKILL");

// For `node --import`: SIGUSR2 makes the process do nothing but one endless loop.
import { isMainThread } from "node:worker_threads";

if (isMainThread)
  process.on("SIGUSR2", () => {
    for (;;);
  });

/** BullMQ jobs that do nothing, as a process: counts them and says when `total` are done. */
import { Worker } from "bullmq";
import { connectRedis } from "../../../common/redis/connect.ts";

let left = 0;
let asked = false;
const worker = new Worker(
  "noop",
  async () => {
    left--;
    if (asked && left === 0) process.send?.({ type: "done" });
  },
  {
    connection: connectRedis(process.env.REDIS_URL ?? "", "queue-worker"),
    prefix: "raw",
    concurrency: 200,
    removeOnComplete: { count: 0 },
  },
);
process.on("message", (message: { readonly type: string; readonly total?: number }) => {
  if (message.type !== "expect") return;
  left += message.total ?? 0;
  asked = true;
  if (left === 0) process.send?.({ type: "done" });
});
process.on("SIGTERM", () => process.exit(0));
await worker.waitUntilReady();
process.send?.({ type: "ready" });

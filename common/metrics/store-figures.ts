import { Gauge, Histogram, type Registry } from "prom-client";
import type { StoreObserver } from "../sqlite/observer.ts";

const BUCKETS_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Observers of a process' SQLite threads; each store counts under its name. */
export const createStoreFigures = (registry: Registry): ((store: string) => StoreObserver) => {
  const registers = [registry];
  const labelNames = ["store"];
  const busy = new Histogram({
    name: "talaria_store_transaction_seconds",
    help: "Time of a transaction, or of the reads that were waiting, on a database's thread",
    labelNames,
    buckets: BUCKETS_S,
    registers,
  });
  const locks = new Histogram({
    name: "talaria_store_lock_wait_seconds",
    help: "Time that a transaction waited for other processes' write lock",
    labelNames,
    buckets: BUCKETS_S,
    registers,
  });
  const batch = new Histogram({
    name: "talaria_store_batch_calls",
    help: "Calls that shared one transaction",
    labelNames,
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
    registers,
  });
  const waiting = new Map<string, () => number>();
  new Gauge({
    name: "talaria_store_waiting_calls",
    help: "Calls that a database's thread has not answered",
    labelNames,
    registers,
    collect() {
      for (const [store, count] of waiting) this.set({ store }, count());
    },
  });

  return (store) => ({
    opened: (pending) => {
      waiting.set(store, pending);
      busy.zero({ store });
      locks.zero({ store });
      batch.zero({ store });
    },
    group: ({ calls, ms, lockWaitMs }) => {
      busy.observe({ store }, ms / 1000);
      batch.observe({ store }, calls);
      if (lockWaitMs !== null) locks.observe({ store }, lockWaitMs / 1000);
    },
  });
};

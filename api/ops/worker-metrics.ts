import type { Registry } from "prom-client";
import type { WorkerInfo } from "../../common/queues/worker-registry.ts";
import { readGauge } from "./gauges.ts";

/** Gauges of what each live worker says of itself, read when Prometheus asks; nothing while Redis is away. */
export const addWorkerMetrics = (registry: Registry, live: () => Promise<readonly WorkerInfo[]>): void => {
  const gauge = (
    name: string,
    help: string,
    figures: (worker: WorkerInfo) => readonly (readonly [number, Record<string, string>?])[],
    labels: readonly string[] = [],
  ): void =>
    readGauge(registry, { name, help, labelNames: ["worker", ...labels] }, async () =>
      (await live().catch(() => [])).flatMap((worker) =>
        figures(worker).map(([value, more]) => [{ worker: worker.name, ...more }, value] as const),
      ),
    );
  gauge("talaria_worker_running", "Jobs that a worker is doing", ({ running }) => [[running]]);
  gauge("talaria_worker_concurrency", "Jobs that a worker may do at once", ({ concurrency }) => [
    [concurrency],
  ]);
  gauge("talaria_worker_draining", "1 while a worker takes no more jobs", ({ draining }) => [
    [Number(draining)],
  ]);
  gauge(
    "talaria_worker_stalled_seconds",
    "How long a worker has taken no jobs though it should; 0 while all is well",
    ({ stalled_since }) => [[stalled_since === null ? 0 : Math.max(0, Date.now() / 1000 - stalled_since)]],
  );
  gauge("talaria_worker_restarts", "Restarts of a worker's connections by its watchdog", ({ restarts }) => [
    [restarts],
  ]);
  gauge("talaria_profile_env_scopes", "Profile environments since the worker's start", ({ environment }) => [
    [environment.scopes],
  ]);
  gauge(
    "talaria_profile_env_hold_seconds",
    "How long the lock of the profile environments was held (P-8)",
    ({ environment: { p50Us, p99Us, maxUs } }) => [
      [p50Us / 1e6, { quantile: "0.5" }],
      [p99Us / 1e6, { quantile: "0.99" }],
      [maxUs / 1e6, { quantile: "1" }],
    ],
    ["quantile"],
  );
};

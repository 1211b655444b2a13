import type { Registry } from "prom-client";
import type { RunCount } from "../../common/contracts/ops.ts";
import { readGauge } from "./gauges.ts";

/** Gauges of what waits and runs, read from the database when Prometheus asks. */
export const addRunMetrics = (registry: Registry, counts: () => Promise<readonly RunCount[]>): void => {
  const gauge = (name: string, help: string, figure: (count: RunCount) => number): void =>
    readGauge(registry, { name, help, labelNames: ["status"] }, async () =>
      (await counts()).map((count) => [{ status: count.status }, figure(count)]),
    );
  gauge("talaria_runs", "Runs that have not ended, by status", ({ n }) => n);
  gauge(
    "talaria_oldest_run_age_seconds",
    "Age of the oldest run that has not ended, by status",
    ({ oldest }) => Date.now() / 1000 - oldest,
  );
};

import type { Registry } from "prom-client";
import { readGauge } from "./gauges.ts";

/** Background jobs as the database knows them, read when Prometheus asks; failed ones stay until they are done again or forgotten. */
export const addJobMetrics = (
  registry: Registry,
  counts: () => Promise<{ readonly queued: number; readonly running: number; readonly failed: number }>,
): void =>
  readGauge(
    registry,
    { name: "talaria_background_jobs", help: "Background jobs, by state", labelNames: ["state"] },
    async () => {
      const { queued, running, failed } = await counts();
      return Object.entries({ queued, running, failed }).map(([state, n]) => [{ state }, n]);
    },
  );

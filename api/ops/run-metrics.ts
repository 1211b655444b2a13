import { Gauge, type Registry } from "prom-client";

/** Gauges of what waits and runs, read from the database when Prometheus asks. */
export const addRunMetrics = (
  registry: Registry,
  counts: () => Promise<readonly { readonly status: string; readonly n: number; readonly oldest: number }[]>,
): void => {
  new Gauge({
    name: "talaria_runs",
    help: "Runs that have not ended, by status",
    labelNames: ["status"],
    registers: [registry],
    async collect() {
      this.reset();
      for (const { status, n } of await counts()) this.set({ status }, n);
    },
  });
  new Gauge({
    name: "talaria_oldest_run_age_seconds",
    help: "Age of the oldest run that has not ended, by status",
    labelNames: ["status"],
    registers: [registry],
    async collect() {
      this.reset();
      for (const { status, oldest } of await counts()) this.set({ status }, Date.now() / 1000 - oldest);
    },
  });
};

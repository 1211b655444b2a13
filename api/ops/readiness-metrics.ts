import { Gauge, type Registry } from "prom-client";
import { checkReadiness, type HealthCheck } from "./health.ts";

/** `talaria_ready` by check of `/readyz`, looked at when Prometheus asks: an alert need not wait for a probe to ask for it. */
export const addReadinessMetrics = (
  registry: Registry,
  checks: Readonly<Record<string, HealthCheck>>,
): void => {
  new Gauge({
    name: "talaria_ready",
    help: "1 where a check of /readyz holds",
    labelNames: ["check"],
    registers: [registry],
    async collect() {
      this.reset();
      const { reasons } = await checkReadiness(checks);
      for (const check of Object.keys(checks)) this.set({ check }, Object.hasOwn(reasons, check) ? 0 : 1);
    },
  });
};

import type { Registry } from "prom-client";
import { readGauge } from "./gauges.ts";
import { checkReadiness, type HealthCheck } from "./health.ts";

/** `talaria_ready` by check of `/readyz`, looked at when Prometheus asks: an alert need not wait for a probe to ask for it. */
export const addReadinessMetrics = (
  registry: Registry,
  checks: Readonly<Record<string, HealthCheck>>,
): void =>
  readGauge(
    registry,
    { name: "talaria_ready", help: "1 where a check of /readyz holds", labelNames: ["check"] },
    async () => {
      const { reasons } = await checkReadiness(checks);
      return Object.keys(checks).map((check) => [{ check }, Object.hasOwn(reasons, check) ? 0 : 1]);
    },
  );

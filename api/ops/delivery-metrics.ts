import type { Registry } from "prom-client";
import { readGauge } from "./gauges.ts";

interface DeliveryCount {
  readonly kind: string;
  readonly state: string;
  readonly n: number;
}

/** Gauge of webhook and push messages that wait, are being sent, or were given up, read from the database when Prometheus asks. */
export const addDeliveryMetrics = (
  registry: Registry,
  counts: () => Promise<readonly DeliveryCount[]>,
): void =>
  readGauge(
    registry,
    {
      name: "talaria_deliveries",
      help: "Webhook and push messages by kind and state; dead ones were given up in the last 30 days",
      labelNames: ["kind", "state"],
    },
    async () => (await counts()).map(({ kind, state, n }) => [{ kind, state }, n]),
  );

import type { Registry } from "prom-client";
import { readGauge } from "./gauges.ts";

interface DeliveryCount {
  readonly kind: string;
  readonly state: string;
  readonly n: number;
}

/** Each has its series from the start, so that the first message that is given up is seen as a change. */
const SERIES = ["webhook", "push"].flatMap((kind) =>
  ["queued", "sending", "dead"].map((state) => ({ kind, state })),
);

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
    async () => {
      const found = await counts();
      return SERIES.map(({ kind, state }) => [
        { kind, state },
        found.find((one) => one.kind === kind && one.state === state)?.n ?? 0,
      ]);
    },
  );

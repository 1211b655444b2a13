import type { Registry } from "prom-client";
import type { Backlog } from "../../common/contracts/backlog.ts";
import { readGauge } from "./gauges.ts";

/** Gauges of the work that nobody has begun, by queue and reason, read when Prometheus asks; nothing while Redis is away. */
export const addBacklogMetrics = (registry: Registry, backlog: () => Promise<readonly Backlog[]>): void => {
  const gauge = (name: string, help: string, figure: (work: Backlog) => number): void =>
    readGauge(registry, { name, help, labelNames: ["queue", "reason"] }, async () =>
      (await backlog().catch(() => [])).map((work) => [
        { queue: work.queue, reason: work.reason },
        figure(work),
      ]),
    );
  gauge("talaria_backlog_jobs", "Jobs that nobody has begun, by queue and reason", ({ jobs }) => jobs);
  gauge(
    "talaria_backlog_oldest_seconds",
    "How long the oldest job that nobody has begun has waited",
    ({ waited_s }) => waited_s,
  );
  gauge("talaria_backlog_alarm", "1 where work waits that no worker takes", ({ alarm }) => Number(alarm));
};

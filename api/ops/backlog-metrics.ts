import { Gauge, type Registry } from "prom-client";
import type { Backlog } from "../../common/contracts/backlog.ts";

/** Gauges of the work that nobody has begun, by queue and reason, read when Prometheus asks; nothing while Redis is away. */
export const addBacklogMetrics = (registry: Registry, backlog: () => Promise<readonly Backlog[]>): void => {
  const gauge = (name: string, help: string, figure: (work: Backlog) => number): void => {
    new Gauge({
      ...{ name, help, labelNames: ["queue", "reason"], registers: [registry] },
      async collect() {
        this.reset();
        for (const work of await backlog().catch(() => []))
          this.set({ queue: work.queue, reason: work.reason }, figure(work));
      },
    });
  };
  gauge("talaria_backlog_jobs", "Jobs that nobody has begun, by queue and reason", ({ jobs }) => jobs);
  gauge(
    "talaria_backlog_oldest_seconds",
    "How long the oldest job that nobody has begun has waited",
    ({ waited_s }) => waited_s,
  );
  gauge("talaria_backlog_alarm", "1 where work waits that no worker takes", ({ alarm }) => Number(alarm));
};

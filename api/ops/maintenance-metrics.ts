import { Counter, type Registry } from "prom-client";
import type { OpsMaintenance } from "../../common/contracts/maintenance.ts";
import { readGauge } from "./gauges.ts";

/** What maintenance did over all workers, read from the database when Prometheus asks. */
export const addMaintenanceMetrics = (
  registry: Registry,
  maintenance: () => Promise<readonly OpsMaintenance[]>,
): void => {
  new Counter({
    name: "talaria_maintenance_runs_total",
    help: "Passes of maintenance, by task and outcome",
    labelNames: ["task", "outcome"],
    registers: [registry],
    async collect() {
      const tasks = await maintenance();
      this.reset();
      for (const { task, ok, failed } of tasks) {
        this.inc({ task, outcome: "ok" }, ok);
        this.inc({ task, outcome: "failed" }, failed);
      }
    },
  });
  const startedAt = Date.now() / 1000;
  const gauge = (name: string, help: string, figure: (of: OpsMaintenance) => number): void =>
    readGauge(registry, { name, help, labelNames: ["task"] }, async () =>
      (await maintenance()).map((of) => [{ task: of.task }, figure(of)] as const),
    );
  gauge(
    "talaria_maintenance_ok_age_seconds",
    "Time since a task of maintenance last went well; since the start of this api where it never did",
    ({ last_ok_at }) => Math.max(0, Date.now() / 1000 - (last_ok_at ?? startedAt)),
  );
  gauge("talaria_maintenance_alarm", "1 where a task of maintenance is late", ({ alarm }) => Number(alarm));
};

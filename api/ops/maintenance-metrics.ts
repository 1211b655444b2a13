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
  const gauge = (
    name: string,
    help: string,
    figure: (of: OpsMaintenance, nowS: number) => number | null,
  ): void =>
    readGauge(registry, { name, help, labelNames: ["task"] }, async () => {
      const tasks = await maintenance();
      const now = Date.now() / 1000;
      return tasks.flatMap((of) => {
        const value = figure(of, now);
        return value === null ? [] : [[{ task: of.task }, value] as const];
      });
    });
  gauge("talaria_maintenance_ok_age_seconds", "Time since a task of maintenance last went well", (of, now) =>
    of.last_ok_at === null ? null : Math.max(0, now - of.last_ok_at),
  );
  gauge("talaria_maintenance_alarm", "1 where a task of maintenance is late", ({ alarm }) => Number(alarm));
};

import { Registry } from "prom-client";
import type { ProcessFigures } from "../../common/metrics/board.ts";
import type { Family } from "../../common/metrics/figures.ts";
import { readMetric, type Sample } from "./read-metric.ts";

export interface ProcessFiguresDeps {
  /** This api's own. */
  readonly own: () => Promise<ProcessFigures>;
  /** What the workers left; one that has ended stays for a minute. Rejects when Redis is away. */
  readonly workers: () => Promise<readonly ProcessFigures[]>;
}

/**
 * The Prometheus text of what processes count of themselves, each series with the labels `role` and `process`. A process' name is new
 * with each start, so its counters only rise; every api shows the same workers, so whoever adds up takes `max by (process)` first.
 */
export const processFiguresText = async ({ own, workers }: ProcessFiguresDeps): Promise<string> => {
  const labelled = [
    { role: "api", figures: await own() },
    ...(await workers().catch(() => [])).map((figures) => ({ role: "worker", figures })),
  ];
  const registry = new Registry();
  const families = new Map<string, { readonly about: Family; readonly samples: Sample[] }>();
  for (const { role, figures } of labelled)
    for (const family of figures.families) {
      const known = families.get(family.name) ?? { about: family, samples: [] };
      families.set(family.name, known);
      // Another version may count something else under this name.
      if (known.about.type !== family.type) continue;
      for (const { value, metricName, labels } of family.values)
        known.samples.push({
          value,
          labels: { ...labels, role, process: figures.process },
          ...(metricName === undefined ? {} : { metricName }),
        });
    }
  for (const { about, samples } of families.values())
    readMetric(registry, { name: about.name, help: about.help, type: about.type }, async () => samples);
  return registry.metrics();
};

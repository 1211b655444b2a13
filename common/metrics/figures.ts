import { collectDefaultMetrics, Registry } from "prom-client";
import { z } from "zod";

/** One metric of a process with its series, as a process tells another one. */
export const FamilySchema = z.object({
  name: z.string().regex(/^[a-zA-Z_:][a-zA-Z0-9_:]{0,199}$/),
  help: z.string().max(1_000),
  type: z.enum(["counter", "gauge", "histogram", "summary"]),
  values: z.array(
    z.object({
      value: z.number(),
      metricName: z.string().optional(),
      labels: z.record(z.string(), z.union([z.string(), z.number()])),
    }),
  ),
});
export type Family = z.infer<typeof FamilySchema>;

/** What a process counts of itself: a registry of its own, so that the api can tell many processes' figures apart under one name. */
export interface Figures {
  readonly registry: Registry;
  families(): Promise<readonly Family[]>;
}

/** With those of Node under their usual names (`process_…`, `nodejs_…`). */
export const createFigures = (): Figures => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    families: async () =>
      ((await registry.getMetricsAsJSON()) as unknown as readonly Family[]).map(
        ({ name, help, type, values }) => ({
          ...{ name, help, type },
          // A delay that was never measured is not a number, and JSON has no such thing.
          values: values
            .filter(({ value }) => Number.isFinite(value))
            .map(({ value, metricName, labels }) => ({
              ...{ value, labels },
              ...(metricName === undefined ? {} : { metricName }),
            })),
        }),
      ),
  };
};

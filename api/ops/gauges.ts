import { Gauge, type Registry } from "prom-client";

/** One figure of a gauge, with its labels. */
export type Figure = readonly [labels: Readonly<Record<string, string>>, value: number];

/** A gauge whose figures are read when Prometheus asks; those of the time before are gone. Where `read` rejects, so does the scrape. */
export const readGauge = (
  registry: Registry,
  about: { readonly name: string; readonly help: string; readonly labelNames: readonly string[] },
  read: () => Promise<readonly Figure[]>,
): void => {
  new Gauge({
    ...about,
    registers: [registry],
    async collect() {
      this.reset();
      for (const [labels, value] of await read()) this.set(labels, value);
    },
  });
};

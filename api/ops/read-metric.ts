import {
  Gauge,
  type MetricObjectWithValues,
  type MetricType,
  type MetricValue,
  type Registry,
} from "prom-client";

/** One series' value; `metricName` names a part of a histogram (`_bucket`, `_sum`, `_count`). */
export type Sample = MetricValue<string> & { readonly metricName?: string };

export interface ReadMetricAbout {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram" | "summary";
}

/** A metric of any type whose series are kept elsewhere and read when Prometheus asks. Where `read` rejects, so does the scrape. */
export const readMetric = (
  registry: Registry,
  about: ReadMetricAbout,
  read: () => Promise<readonly Sample[]>,
): void => registry.registerMetric(new ReadMetric(about, read));

/** The library's own metrics count for themselves; what it asks of one when it writes the text is this alone. */
class ReadMetric extends Gauge {
  private readonly about: ReadMetricAbout;
  private readonly read: () => Promise<readonly Sample[]>;

  constructor(about: ReadMetricAbout, read: () => Promise<readonly Sample[]>) {
    super({ name: about.name, help: about.help, registers: [] });
    this.about = about;
    this.read = read;
  }

  override async get(): Promise<MetricObjectWithValues<MetricValue<string>>> {
    // The library declares an enum that it does not have: its types are these words.
    const { name, help, type } = this.about;
    return {
      name,
      help,
      type: type as unknown as MetricType,
      aggregator: "sum",
      values: [...(await this.read())],
      collect: () => {},
    };
  }
}

/** Metric -> label -> values that its series have. */
export type Metrics = Map<string, Map<string, Set<string>>>;

/** A Prometheus text: every metric that it announces, a histogram with its parts, whether it has series or not. */
export const readMetrics = (text: string): Metrics => {
  const metrics: Metrics = new Map();
  for (const [, name = "", type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm))
    for (const part of type === "histogram" ? ["_bucket", "_sum", "_count"] : [""])
      metrics.set(name + part, new Map());
  for (const [, name = "", labels = ""] of text.matchAll(/^(\w+)\{(.*)\} \S+$/gm))
    for (const [, label = "", value = ""] of labels.matchAll(/(\w+)="([^"]*)"/g)) {
      const known = metrics.get(name);
      known?.set(label, (known.get(label) ?? new Set()).add(value));
    }
  return metrics;
};

/** Names of our metrics, and of Node's, in an expression. */
export const metricsIn = (expression: string): string[] => [
  ...new Set(expression.match(/\b(talaria|process|nodejs)_\w+/g)),
];

/**
 * What an expression asks for and nobody serves: names, labels, values of labels, and labels that an aggregation keeps. Its
 * grammar is `promtool`'s business. Values that are a pattern (more than `a|b`) or a variable of Grafana are not looked at.
 */
export const notServed = (expression: string, served: Metrics): string[] => {
  const names = metricsIn(expression);
  const has = (name: string, label: string): boolean =>
    OF_PROMETHEUS.has(label) || served.get(name)?.has(label) === true;
  const asked = [...expression.matchAll(/((?:talaria|process|nodejs)_\w+)\{([^}]*)\}/g)].flatMap(
    ([, name = "", inner = ""]) =>
      [...inner.matchAll(/(\w+)\s*[=!][=~]?\s*"([^"]*)"/g)].map(([, label = "", text = ""]) => ({
        ...{ name, label },
        values: /^[\w/|]+$|^\d\.\d+$/.test(text) && !OF_PROMETHEUS.has(label) ? text.split("|") : [],
      })),
  );
  const kept = [...expression.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, labels = ""]) =>
    labels.split(/,\s*/),
  );
  return [
    ...names.filter((name) => !served.has(name)),
    ...asked.filter(({ name, label }) => !has(name, label)).map(({ name, label }) => `${name}{${label}}`),
    ...asked.flatMap(({ name, label, values }) =>
      values
        .filter((value) => served.get(name)?.get(label)?.has(value) !== true)
        .map((value) => `${name}{${label}="${value}"}`),
    ),
    ...kept.filter((label) => !names.some((name) => has(name, label))).map((label) => `by (${label})`),
  ];
};

/** Labels that the scrape adds. */
const OF_PROMETHEUS = new Set(["job", "instance"]);

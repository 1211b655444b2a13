/** Whether and how spans are sent. */
export interface TracingConfig {
  readonly enabled: boolean;
  readonly sampler: SamplerName;
  /** For the samplers that keep a share, 0 to 1. */
  readonly samplerArg: number;
  /** Settings whose values nobody knows here: `NAME=value`. */
  readonly ignored: readonly string[];
}

/** Names of `OTEL_TRACES_SAMPLER`. */
export const SAMPLERS = [
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
] as const;
export type SamplerName = (typeof SAMPLERS)[number];

/**
 * What the standard variables of OpenTelemetry mean for us. They are written for many programs at once, so a value that we do not
 * know is ignored and told, as the standard wants it, where a setting of ours would stop the start.
 */
export const readTracing = (given: {
  readonly exporter: string | null;
  readonly endpoint: string | null;
  readonly disabled: string;
  readonly sampler: string;
  readonly samplerArg: string;
}): TracingConfig => {
  const ignored: string[] = [];
  const exporters = (given.exporter ?? "").split(",").map((name) => name.trim().toLowerCase());
  for (const name of exporters)
    if (!["", "otlp", "none"].includes(name)) ignored.push(`OTEL_TRACES_EXPORTER=${name}`);
  const asked = given.exporter === null ? given.endpoint !== null : exporters.includes("otlp");

  const sampler = SAMPLERS.find((name) => name === given.sampler.trim().toLowerCase());
  if (sampler === undefined) ignored.push(`OTEL_TRACES_SAMPLER=${given.sampler}`);
  const share = Number(given.samplerArg);
  const isShare = share >= 0 && share <= 1;
  if (!isShare) ignored.push(`OTEL_TRACES_SAMPLER_ARG=${given.samplerArg}`);
  return {
    enabled: asked && given.disabled.trim().toLowerCase() !== "true",
    sampler: sampler ?? "parentbased_always_on",
    samplerArg: isShare ? share : 1,
    ignored,
  };
};

import type * as Sdk from "@opentelemetry/sdk-trace";
import type { TracingConfig } from "../config/tracing.ts";

/** Which traces are kept. */
export const samplerOf = (
  sdk: typeof Sdk,
  { sampler, samplerArg }: Pick<TracingConfig, "sampler" | "samplerArg">,
): Sdk.Sampler => {
  const root = sampler.endsWith("always_on")
    ? new sdk.AlwaysOnSampler()
    : sampler.endsWith("always_off")
      ? new sdk.AlwaysOffSampler()
      : new sdk.TraceIdRatioBasedSampler(samplerArg);
  return sampler.startsWith("parentbased_") ? new sdk.ParentBasedSampler({ root }) : root;
};

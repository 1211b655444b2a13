import { expect, test } from "@jest/globals";
import { readTracing } from "../../../common/config/tracing.ts";

const GIVEN = {
  exporter: null,
  endpoint: null,
  disabled: "false",
  sampler: "parentbased_always_on",
  samplerArg: "1",
};
const enabled = (given: Partial<Parameters<typeof readTracing>[0]>): boolean =>
  readTracing({ ...GIVEN, ...given }).enabled;
const at = { endpoint: "http://collector:4318" };

/** OpenTelemetry, "General SDK Configuration": who asks for spans gets them, and nobody else. */
test("an endpoint or the exporter asks for spans; none and OTEL_SDK_DISABLED win", () => {
  expect(enabled({})).toBe(false);
  expect(enabled(at)).toBe(true);
  expect(enabled({ exporter: "otlp" })).toBe(true);
  expect(enabled({ ...at, exporter: "none" })).toBe(false);
  expect(enabled({ ...at, disabled: "TRUE" })).toBe(false);
  expect(enabled({ ...at, disabled: "yes" })).toBe(true);
});

test("what nobody knows is ignored and told, and stops no start", () => {
  expect(readTracing({ ...GIVEN, exporter: "zipkin, otlp" })).toMatchObject({
    enabled: true,
    ignored: ["OTEL_TRACES_EXPORTER=zipkin"],
  });
  const given = { ...GIVEN, sampler: "jaeger_remote", samplerArg: "2" };
  expect(readTracing(given)).toMatchObject({
    ...{ sampler: "parentbased_always_on", samplerArg: 1 },
    ignored: ["OTEL_TRACES_SAMPLER=jaeger_remote", "OTEL_TRACES_SAMPLER_ARG=2"],
  });
});

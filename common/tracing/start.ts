import { AsyncResource } from "node:async_hooks";
import { within } from "../base/bounded-wait.ts";
import { messageOf } from "../base/errors.ts";
import type { TracingConfig } from "../config/tracing.ts";
import type { Logger } from "../logging/logger.ts";
import { samplerOf } from "./sampler.ts";
import { createTraces, NO_TRACES, type Traces } from "./traces.ts";

export interface StartedTraces {
  readonly traces: Traces;
  /** Sends what is left, in bounded time. Never rejects. */
  close(): Promise<void>;
}

export interface TracedProcess {
  readonly role: "api" | "worker";
  readonly name: string;
  readonly version: string;
}

/** How long a stopping process tries to send its last spans, in milliseconds. */
const FLUSH_MS = 2_000;
/** How often it is said that spans do not arrive. */
const WARN_EVERY_MS = 60_000;

/**
 * Spans over OTLP/HTTP, where the standard variables of OpenTelemetry ask for them; otherwise nothing of its SDK is loaded. The exporter
 * reads the rest of its variables (address, headers, certificates) itself, here and only here: call it before a worker puts its own
 * process.env in place. Nothing is registered globally.
 */
export const startTraces = async (
  config: TracingConfig,
  process: TracedProcess,
  log: Logger,
): Promise<StartedTraces> => {
  for (const what of config.ignored) log.warn({ what }, "not known here, so it is ignored");
  if (!config.enabled) return { traces: NO_TRACES, close: async () => {} };
  const [sdk, { OTLPTraceExporter }, { detectResources, envDetector, resourceFromAttributes }] =
    await Promise.all([
      import("@opentelemetry/sdk-trace"),
      import("@opentelemetry/exporter-trace-otlp-http"),
      import("@opentelemetry/resources"),
    ]);
  const exporter = new OTLPTraceExporter();
  let warnedAt = Number.NEGATIVE_INFINITY;
  const batches = new sdk.BatchSpanProcessor({
    exporter: {
      export: (spans, told) =>
        exporter.export(spans, (result) => {
          if (result.code !== 0 && performance.now() - warnedAt > WARN_EVERY_MS) {
            warnedAt = performance.now();
            log.warn({ reason: messageOf(result.error), spans: spans.length }, "spans could not be sent");
          }
          told(result);
        }),
      forceFlush: () => exporter.forceFlush(),
      shutdown: () => exporter.shutdown(),
    },
  });
  // A span ends within a run; the timer and the request that send it must not belong to that run's environment.
  const outside = new AsyncResource("talaria traces");
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes({
      "service.name": `talaria-${process.role}`,
      "service.version": process.version,
      "service.instance.id": process.name,
    }).merge(detectResources({ detectors: [envDetector] })),
    sampler: samplerOf(sdk, config),
    spanProcessors: [
      {
        onStart: (span, context) => batches.onStart(span, context),
        onEnd: (span) => outside.runInAsyncScope(() => batches.onEnd(span)),
        forceFlush: () => batches.forceFlush(),
        shutdown: () => batches.shutdown(),
      },
    ],
  });
  log.info({ exporter: "otlp" }, "spans are sent");
  return {
    traces: createTraces(provider.getTracer("talaria", process.version)),
    close: async () => {
      await within(
        provider.shutdown().catch(() => {}),
        FLUSH_MS,
        undefined,
      );
    },
  };
};

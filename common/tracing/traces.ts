import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { formatTraceparent, parseTraceparent } from "./traceparent.ts";

/**
 * Spans of what is done for a run. Their parents are named, never looked up: what crosses the queue is a `traceparent` on the run's row.
 * Attributes are ids, names, states and counts; never what somebody said, and no key.
 */
export interface Traces {
  /** `parent`: a W3C `traceparent`, or null for a trace of its own; one that is not understood counts as null. */
  start(about: SpanAbout, parent: string | null): OpenSpan;
}

export interface SpanAbout {
  readonly name: string;
  /** `server` takes a request, `producer` puts a job into a queue, `consumer` does it, `client` asks another service. */
  readonly kind?: "server" | "producer" | "consumer" | "client";
  readonly attributes?: SpanAttributes;
  /** Epoch milliseconds; now when absent. */
  readonly startedAtMs?: number;
}

export type SpanAttributes = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** A span that has begun. `end` must be called, once; what is said of it later is lost. */
export interface OpenSpan {
  /** What its children elsewhere name as their parent; null when there is no trace. */
  readonly traceparent: string | null;
  child(about: SpanAbout): OpenSpan;
  /** Attributes that are null or undefined are left out. */
  set(attributes: SpanAttributes): void;
  /** `failure`: a code, when what it stands for failed. */
  end(failure?: string): void;
}

export const createTraces = (tracer: Tracer): Traces => {
  const open = (about: SpanAbout, parent: Context): OpenSpan => {
    const span = tracer.startSpan(
      about.name,
      {
        kind: KINDS[about.kind ?? "internal"],
        attributes: present(about.attributes ?? {}),
        ...(about.startedAtMs === undefined ? {} : { startTime: about.startedAtMs }),
      },
      parent,
    );
    return openSpan(span, (child) => open(child, trace.setSpan(ROOT_CONTEXT, span)));
  };
  return { start: (about, parent) => open(about, contextOf(parent)) };
};

/** Tells nobody; what a request brought along is passed on all the same. */
export const NO_TRACES: Traces = createTraces(trace.getTracer("talaria"));

/** Runs `work` within a span; what it throws ends the span as failed and is thrown on. */
export const withSpan = async <T>(span: OpenSpan, work: (span: OpenSpan) => Promise<T>): Promise<T> => {
  let failure: string | undefined;
  try {
    return await work(span);
  } catch (error) {
    failure = codeOf(error);
    throw error;
  } finally {
    span.end(failure);
  }
};

/** The code of an error, or its class: messages may hold what somebody said. */
export const codeOf = (error: unknown): string => {
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code === "string") return code;
  return error instanceof Error ? error.name : "error";
};

const KINDS = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
  client: SpanKind.CLIENT,
} as const;

const openSpan = (span: Span, child: OpenSpan["child"]): OpenSpan => ({
  traceparent: formatTraceparent(span.spanContext()),
  child,
  set: (attributes) => {
    span.setAttributes(present(attributes));
  },
  end: (failure) => {
    if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
    span.end();
  },
});

const contextOf = (traceparent: string | null): Context => {
  const parent = parseTraceparent(traceparent);
  return parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
};

const present = (attributes: SpanAttributes): Attributes =>
  Object.fromEntries(Object.entries(attributes).filter(([, value]) => value != null)) as Attributes;

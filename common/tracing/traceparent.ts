import { isSpanContextValid, type SpanContext, TraceFlags } from "@opentelemetry/api";

/**
 * The span that a W3C `traceparent` names; null for what is not one. Later versions may add fields behind the flags, version ff is
 * none (W3C Trace Context, 3.2).
 */
export const parseTraceparent = (text: string | null | undefined): SpanContext | null => {
  if (text == null || text.length > MAX_LENGTH) return null;
  const [, version, traceId = "", spanId = "", flags = "", more] = SHAPE.exec(text.trim()) ?? [];
  if (version === undefined || version === "ff" || (version === "00" && more !== undefined)) return null;
  const traceFlags = Number.parseInt(flags, 16) & TraceFlags.SAMPLED;
  const context = { traceId, spanId, traceFlags, isRemote: true };
  return isSpanContextValid(context) ? context : null;
};

/** null where there is no trace. */
export const formatTraceparent = ({ traceId, spanId, traceFlags }: SpanContext): string | null =>
  isSpanContextValid({ traceId, spanId, traceFlags })
    ? `00-${traceId}-${spanId}-${(traceFlags & TraceFlags.SAMPLED).toString(16).padStart(2, "0")}`
    : null;

const SHAPE = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const MAX_LENGTH = 512;

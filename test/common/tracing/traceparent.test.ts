import { expect, test } from "@jest/globals";
import { formatTraceparent, parseTraceparent } from "../../../common/tracing/traceparent.ts";
import { NO_TRACES } from "../../../common/tracing/traces.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";
const KNOWN = `00-${TRACE}-${SPAN}-01`;

/** W3C Trace Context, section 3.2. */
test("a traceparent is read as it is written", () => {
  const context = parseTraceparent(KNOWN);
  expect(context).toEqual({ traceId: TRACE, spanId: SPAN, traceFlags: 1, isRemote: true });
  expect(context === null ? null : formatTraceparent(context)).toBe(KNOWN);
  expect(parseTraceparent(`00-${TRACE}-${SPAN}-00`)?.traceFlags).toBe(0);
  // Flags that came later, and fields of a later version.
  expect(parseTraceparent(`00-${TRACE}-${SPAN}-03`)?.traceFlags).toBe(1);
  expect(parseTraceparent(`01-${TRACE}-${SPAN}-01-more`)?.traceId).toBe(TRACE);
});

test.each([
  "",
  "nonsense",
  `ff-${TRACE}-${SPAN}-01`,
  `00-${"0".repeat(32)}-${SPAN}-01`,
  `00-${TRACE}-${"0".repeat(16)}-01`,
  `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  `00-${TRACE}-${SPAN}-01-more`,
  `00-${TRACE}-${SPAN}`,
  `${KNOWN}, ${KNOWN}`,
  `00-${TRACE}-${SPAN}-01${"-x".repeat(10_000)}`,
])("%p names no span", (text) => {
  expect(parseTraceparent(text)).toBeNull();
});

test("where nobody is told, a caller's trace is passed on, and none is made up", () => {
  const about = { name: "accept run" };
  expect(NO_TRACES.start(about, KNOWN).traceparent).toBe(KNOWN);
  expect(NO_TRACES.start(about, KNOWN).child(about).traceparent).toBe(KNOWN);
  expect(NO_TRACES.start(about, null).traceparent).toBeNull();
  expect(NO_TRACES.start(about, "nonsense").traceparent).toBeNull();
});

import type { RunStore } from "../common/runs/port.ts";
import { type Traces, withSpan } from "../common/tracing/traces.ts";

/**
 * The same runs, each accepted within a span: of the caller's trace, where the request named one. What the run's row keeps is that span,
 * so the attempts of every worker become its children.
 */
export const withTrace = (runs: RunStore, traces: Traces): RunStore => ({
  ...runs,
  accept: (request) => {
    const attributes = { "talaria.session.id": request.sessionId };
    const span = traces.start(
      { name: "accept run", kind: "server", attributes },
      request.traceparent ?? null,
    );
    return withSpan(span, async () => {
      const accepted = await runs.accept({ ...request, traceparent: span.traceparent });
      const { id, profile } = accepted.run;
      span.set({
        "talaria.run.id": id,
        "talaria.profile": profile,
        "talaria.replayed": accepted.replayed,
      });
      return accepted;
    });
  },
});

import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { JobKind } from "../../common/queues/catalog.ts";
import type { Traces } from "../../common/tracing/traces.ts";
import { withSpan } from "../../common/tracing/traces.ts";

/** Does a job of a kind and says so: counted, timed, within a span. What it rejects with is passed on. */
export type Tracked = (kind: JobKind, jobId: string, work: () => Promise<void>) => Promise<void>;

const BUCKETS_S = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
const RESULTS = ["done", "failed"] as const;

/** Jobs that a worker takes from its queues. A run's span is its attempt's own: it belongs to the trace of its acceptance. */
export const trackWork = (registry: Registry, kinds: readonly JobKind[], traces: Traces): Tracked => {
  const registers = [registry];
  const seconds = new Histogram({
    name: "talaria_job_seconds",
    help: "Time that a worker spent on a job, by kind",
    labelNames: ["kind"],
    buckets: BUCKETS_S,
    registers,
  });
  const ended = new Counter({
    name: "talaria_jobs_total",
    help: "Jobs that a worker is through with, by kind and result; failed ones are delivered again",
    labelNames: ["kind", "result"],
    registers,
  });
  const active = new Gauge({
    name: "talaria_jobs_active",
    help: "Jobs that a worker is doing, by kind",
    labelNames: ["kind"],
    registers,
  });
  for (const kind of kinds) {
    active.set({ kind }, 0);
    seconds.zero({ kind });
    for (const result of RESULTS) ended.inc({ kind, result }, 0);
  }

  const counted = async (kind: JobKind, work: () => Promise<void>): Promise<void> => {
    const begunMs = performance.now();
    let result: (typeof RESULTS)[number] = "failed";
    active.inc({ kind });
    try {
      await work();
      result = "done";
    } finally {
      active.dec({ kind });
      ended.inc({ kind, result });
      seconds.observe({ kind }, (performance.now() - begunMs) / 1000);
    }
  };
  return (kind, jobId, work) => {
    if (kind === "runs") return counted(kind, work);
    const attributes = { "talaria.job.id": jobId, "talaria.job.kind": kind };
    const span = traces.start({ name: "background job", kind: "consumer", attributes }, null);
    return withSpan(span, () => counted(kind, work));
  };
};

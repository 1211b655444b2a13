import { Counter, Histogram, type Registry } from "prom-client";

/** What a worker counts of its runs, for Prometheus. Neither names of tools nor models become labels: their number has no bound. */
export interface RunFigures {
  modelCall(call: {
    readonly seconds: number;
    readonly firstOutputS: number | null;
    readonly failed: boolean;
  }): void;
  /** `status`: what the provider answered; null when it could not be reached. */
  retry(status: number | null): void;
  toolCall(call: { readonly seconds: number; readonly failed: boolean }): void;
  /** A run ended here, or was handed back. */
  attemptEnded(how: AttemptEnd): void;
}

/** `lost`: a newer attempt owns the run; `given_back`: something around it failed, or the worker stops, so another attempt goes on. */
export const ATTEMPT_ENDS = [
  "completed",
  "failed",
  "cancelled",
  "interrupted",
  "given_back",
  "lost",
] as const;
export type AttemptEnd = (typeof ATTEMPT_ENDS)[number];

const BUCKETS_S = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
const RESULTS = ["ok", "failed"] as const;
const STATUSES = ["429", "5xx", "other", "unreachable"] as const;

export const createRunFigures = (registry: Registry): RunFigures => {
  const registers = [registry];
  const calls = new Histogram({
    name: "talaria_model_call_seconds",
    help: "Time of model calls, their retries and waits included, by result",
    labelNames: ["result"],
    buckets: BUCKETS_S,
    registers,
  });
  const firsts = new Histogram({
    name: "talaria_model_first_output_seconds",
    help: "Time until a model call gave its first text, retries included",
    buckets: BUCKETS_S,
    registers,
  });
  const retries = new Counter({
    name: "talaria_model_retries_total",
    help: "Model calls that were tried again, by what the provider had answered",
    labelNames: ["status"],
    registers,
  });
  const tools = new Histogram({
    name: "talaria_tool_call_seconds",
    help: "Time of tool calls, by result",
    labelNames: ["result"],
    buckets: BUCKETS_S,
    registers,
  });
  const attempts = new Counter({
    name: "talaria_run_attempts_total",
    help: "Attempts at runs that ended in this worker, by how",
    labelNames: ["end"],
    registers,
  });
  for (const result of RESULTS) {
    calls.zero({ result });
    tools.zero({ result });
  }
  for (const status of STATUSES) retries.inc({ status }, 0);
  for (const end of ATTEMPT_ENDS) attempts.inc({ end }, 0);

  return {
    modelCall: ({ seconds, firstOutputS, failed }) => {
      calls.observe({ result: failed ? "failed" : "ok" }, seconds);
      if (firstOutputS !== null) firsts.observe(firstOutputS);
    },
    retry: (status) => retries.inc({ status: statusClass(status) }),
    toolCall: ({ seconds, failed }) => tools.observe({ result: failed ? "failed" : "ok" }, seconds),
    attemptEnded: (end) => attempts.inc({ end }),
  };
};

const statusClass = (status: number | null): (typeof STATUSES)[number] => {
  if (status === null) return "unreachable";
  if (status === 429) return "429";
  return status >= 500 ? "5xx" : "other";
};

import type { RequestHandler } from "express";
import { Counter, Gauge, Histogram, type Registry } from "prom-client";

export interface Metrics {
  /** Times requests under the address' template, so that ids never become labels. */
  timed(route: string): RequestHandler;
  readonly runsAccepted: { inc(): void };
  readonly framesSent: { inc(count: number): void };
  /** Streams that ended, by what ended them. */
  streamEnded(why: string): void;
  /** The Prometheus text and its content type. */
  text(): Promise<{ readonly type: string; readonly body: string }>;
}

/** The api's metrics, all named `talaria_*`, on the registry that the process hands in. */
export const createMetrics = (
  registry: Registry,
  openStreams: () => number,
  /** Text of metrics that are kept elsewhere. */
  more: () => Promise<string> = async () => "",
): Metrics => {
  const registers = [registry];
  const duration = new Histogram({
    name: "talaria_http_request_duration_seconds",
    help: "Time to answer HTTP requests, without event streams",
    labelNames: ["method", "route", "status"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  });
  const runsAccepted = new Counter({
    name: "talaria_runs_accepted_total",
    help: "Runs accepted over HTTP, without repeats of an Idempotency-Key",
    registers,
  });
  const framesSent = new Counter({ name: "talaria_sse_frames_total", help: "Event frames sent", registers });
  const ended = new Counter({
    name: "talaria_sse_streams_ended_total",
    help: "Event streams that ended, by reason",
    labelNames: ["reason"],
    registers,
  });
  // There from the start, so that the first one is seen by `rate`, too.
  ended.inc({ reason: "slow_reader" }, 0);
  new Gauge({
    name: "talaria_sse_followers",
    help: "Open event streams",
    registers,
    collect() {
      this.set(openStreams());
    },
  });

  return {
    timed: (route) => (req, res, next) => {
      const startedMs = performance.now();
      res.once("finish", () =>
        duration.observe(
          { method: req.method, route, status: res.statusCode },
          (performance.now() - startedMs) / 1000,
        ),
      );
      next();
    },
    runsAccepted,
    framesSent,
    streamEnded: (reason) => ended.inc({ reason }),
    text: async () => ({ type: registry.contentType, body: `${await registry.metrics()}\n${await more()}` }),
  };
};

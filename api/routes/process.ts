import { z } from "zod";
import { checkReadiness, type HealthCheck } from "../ops/health.ts";
import type { Metrics } from "../ops/metrics.ts";
import { operation, type Resource } from "../route.ts";

const Healthy = z.strictObject({ status: z.literal("ok") });
const Readiness = z.strictObject({ ready: z.boolean(), reasons: z.record(z.string(), z.string()) });

/** Addresses for whoever operates the process (native-api "Process"). */
export const processRoutes = (deps: {
  readonly checks: Readonly<Record<string, HealthCheck>>;
  readonly metrics: Metrics;
}): readonly Resource[] => [
  {
    path: "/healthz",
    tag: "Process",
    access: "public",
    methods: {
      get: operation({
        summary: "200 while the process serves",
        answers: { 200: { description: "It serves", schema: Healthy } },
        handle: ({ res }) => void res.json({ status: "ok" }),
      }),
    },
  },
  {
    path: "/readyz",
    tag: "Process",
    access: "public",
    methods: {
      get: operation({
        summary: "Whether every promise can be kept right now",
        answers: {
          200: { description: "Ready", schema: Readiness },
          503: { description: "Not ready, with a reason for each check that failed", schema: Readiness },
        },
        async handle({ res }) {
          const readiness = await checkReadiness(deps.checks);
          res.status(readiness.ready ? 200 : 503).json(readiness);
        },
      }),
    },
  },
  {
    path: "/metrics",
    tag: "Process",
    access: "protected",
    methods: {
      get: operation({
        summary: "Prometheus metrics",
        answers: { 200: { description: "Prometheus text", type: "text/plain" } },
        async handle({ res }) {
          const { type, body } = await deps.metrics.text();
          res.set("Content-Type", type).send(body);
        },
      }),
    },
  },
];

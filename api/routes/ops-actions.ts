import { TalariaError } from "../../common/base/errors.ts";
import { EmptyBody, type Page } from "../../common/contracts/http.ts";
import type { Job } from "../../common/contracts/job.ts";
import {
  type DeadLetter,
  DeadLetterList,
  DeadLettersQuery,
  OpsRetryAnswer,
  OpsRetryBody,
  type OpsWorker,
  OpsWorkerAnswer,
} from "../../common/contracts/ops.ts";
import { operation, type Resource } from "../route.ts";

export interface OpsActionDeps {
  /** Orders a worker to drain; null: none of that name is alive. Rejects when Redis is away. */
  readonly drain: (worker: string) => Promise<OpsWorker | null>;
  readonly deadLetters: (query: DeadLettersQuery) => Promise<Page<DeadLetter>>;
  /** Does failed jobs of a kind again, the oldest first, so many at most. */
  readonly retryFailed: (
    kind: Job["kind"],
    limit: number,
  ) => Promise<{ readonly retried: number; readonly left: number }>;
}

/** What whoever operates the deployment does; `requeue.ts` has the one thing that makes a run. */
export const opsActionRoutes = (deps: OpsActionDeps): readonly Resource[] => [
  {
    path: "/api/ops/workers/:name/drain",
    tag: "Operations",
    access: "protected",
    methods: {
      post: operation({
        summary: "Tell a worker to stop: no new jobs, a moment for what runs, the rest handed back",
        description:
          "The order stands until the worker has obeyed; repeating it is harmless. The process ends after at most `TALARIA_DRAIN_MS` and a few seconds, with exit code 0, or 1 when not everything was handed back in time; whoever supervises it may start another one.",
        body: EmptyBody,
        answers: { 202: { description: "The worker as it is known, draining", schema: OpsWorkerAnswer } },
        errors: ["not_found", "redis_unavailable"],
        async handle({ param, res }) {
          const worker = await deps.drain(param("name"));
          if (worker === null) throw new TalariaError("not_found", "There is no live worker of that name.");
          res.status(202).json({ worker });
        },
      }),
    },
  },
  {
    path: "/api/ops/dead-letters",
    tag: "Operations",
    access: "protected",
    methods: {
      get: operation({
        summary:
          "Runs of the last days that ended for a reason that was not their message's, the newest first",
        description:
          "Workers that died again and again, a profile or provider that was away, faults of this server. Gone from the list once the session goes on. `POST /api/ops/runs/{id}/requeue` runs the message again.",
        query: DeadLettersQuery,
        answers: { 200: { description: "A page", schema: DeadLetterList } },
        handle: async ({ query, res }) => void res.json(await deps.deadLetters(query)),
      }),
    },
  },
  {
    path: "/api/ops/jobs/retry",
    tag: "Operations",
    access: "protected",
    methods: {
      post: operation({
        summary: "Do failed background jobs of a kind again, the oldest first",
        body: OpsRetryBody,
        answers: { 202: { description: "How many, and how many are left", schema: OpsRetryAnswer } },
        handle: async ({ body, res }) =>
          void res.status(202).json(await deps.retryFailed(body.kind, body.limit)),
      }),
    },
  },
];

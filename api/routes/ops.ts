import type { Page } from "../../common/contracts/http.ts";
import type { Job } from "../../common/contracts/job.ts";
import {
  type Ops,
  OpsAnswer,
  OpsJobList,
  OpsJobsQuery,
  type OpsRun,
  OpsRunList,
  OpsRunsQuery,
} from "../../common/contracts/ops.ts";
import { queueName, runJobId } from "../../common/queues/catalog.ts";
import type { OpenRun } from "../../common/runs/open-ops.ts";
import { operation, type Resource } from "../route.ts";

export interface OpsRoutesDeps {
  readonly overview: () => Promise<Ops>;
  readonly openRuns: (query: OpsRunsQuery) => Promise<Page<OpenRun>>;
  readonly failedJobs: (query: OpsJobsQuery) => Promise<Page<Job>>;
}

/** What whoever operates the deployment looks at; `retry` of a failed job is among the jobs. */
export const opsRoutes = (deps: OpsRoutesDeps): readonly Resource[] => [
  {
    path: "/api/ops",
    tag: "Operations",
    access: "protected",
    methods: {
      get: operation({
        summary: "Workers, what waits, what is running, Redis",
        description: "Also answers while Redis is away; what only Redis knows is then null.",
        answers: { 200: { description: "The state of the deployment", schema: OpsAnswer } },
        handle: async ({ res }) => void res.json({ ops: await deps.overview() }),
      }),
    },
  },
  {
    path: "/api/ops/runs",
    tag: "Operations",
    access: "protected",
    methods: {
      get: operation({
        summary: "Unfinished runs of all sessions, the oldest first",
        query: OpsRunsQuery,
        answers: { 200: { description: "A page", schema: OpsRunList } },
        async handle({ query, res }) {
          const { data, next_cursor } = await deps.openRuns(query);
          const now = Date.now() / 1000;
          res.json({ data: data.map((run) => shown(run, now)), next_cursor });
        },
      }),
    },
  },
  {
    path: "/api/ops/jobs",
    tag: "Operations",
    access: "protected",
    methods: {
      get: operation({
        summary: "Background jobs that failed in the last days, the newest first",
        description: "`POST /api/jobs/{id}/retry` asks for one again.",
        query: OpsJobsQuery,
        answers: { 200: { description: "A page", schema: OpsJobList } },
        handle: async ({ query, res }) => void res.json(await deps.failedJobs(query)),
      }),
    },
  },
];

const shown = ({ released_at, job_id, ...run }: OpenRun, now: number): OpsRun => {
  const held = run.status === "queued" && released_at === null;
  // One that a worker gave back waits under the number of its next attempt.
  const id = run.status === "queued" ? runJobId(run.id, run.attempt + 1) : job_id;
  return {
    ...run,
    age_s: Math.max(0, now - run.created_at),
    held,
    job: held || id === null ? null : { queue: queueName("runs", run.profile), id },
  };
};

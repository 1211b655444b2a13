import { setTimeout as delay } from "node:timers/promises";
import type { Response } from "express";
import { demand, TalariaError } from "../../common/base/errors.ts";
import { EmptyBody, SessionAnswer } from "../../common/contracts/http.ts";
import { type Job, JobAnswer, JobList } from "../../common/contracts/job.ts";
import type { SessionStore } from "../../common/sessions/port.ts";
import { operation, type Resource } from "../route.ts";

export interface JobRoutesDeps {
  readonly sessions: Pick<SessionStore, "get">;
  readonly findJob: (id: string) => Promise<Job | null>;
  readonly jobsOf: (sessionId: string) => Promise<readonly Job[]>;
  /** Makes the job, or finds the one that is about the same; null: the session is gone. */
  readonly regenerateTitle: (sessionId: string) => Promise<Job | null>;
  /** Begins a failed job anew; null: there is none. Rejects with `conflict` for one that ended otherwise. */
  readonly retryJob: (id: string) => Promise<Job | null>;
  /** Ends one that has not ended; null: there is none. Rejects with `conflict` for one that ended otherwise. */
  readonly cancelJob: (id: string) => Promise<Job | null>;
}

/** Longer than the job may take: who waits hears how it ended (background-jobs B-17). */
const WAIT_MS = 65_000;
const LOOK_EVERY_MS = 150;

/** Background work on sessions (background-jobs B-1). */
export const jobRoutes = (deps: JobRoutesDeps): readonly Resource[] => [
  {
    path: "/api/sessions/:id/jobs",
    tag: "Jobs",
    access: "protected",
    methods: {
      get: operation({
        summary: "Background work on a session",
        answers: { 200: { description: "The newest first, of the last days", schema: JobList } },
        errors: ["session_not_found"],
        async handle(call) {
          const session = await deps.sessions.get(call.param("id"));
          call.res.json({ data: await deps.jobsOf(session.id), next_cursor: null });
        },
      }),
    },
  },
  {
    path: "/api/jobs/:id",
    tag: "Jobs",
    access: "protected",
    methods: {
      get: operation({
        summary: "One piece of background work",
        answers: { 200: { description: "The job", schema: JobAnswer } },
        errors: ["not_found"],
        handle: async ({ param, res }) =>
          void res.json({ job: demand(await deps.findJob(param("id")), "job") }),
      }),
    },
  },
  {
    path: "/api/jobs/:id/retry",
    tag: "Jobs",
    access: "protected",
    methods: {
      post: operation({
        summary: "Do a failed job again, about what its session is now",
        description:
          "One that is queued or running stays as it is. A title that a person gave since then stays, too.",
        body: EmptyBody,
        answers: { 202: { description: "It is queued, or running already", schema: JobAnswer } },
        errors: ["not_found", "conflict"],
        handle: async ({ param, res }) =>
          void res.status(202).json({ job: demand(await deps.retryJob(param("id")), "job") }),
      }),
    },
  },
  {
    path: "/api/jobs/:id/cancel",
    tag: "Jobs",
    access: "protected",
    methods: {
      post: operation({
        summary: "Give up a job that has not ended",
        description:
          "From the answer on nothing of it is applied; one that has been applied already is refused.",
        body: EmptyBody,
        answers: { 200: { description: "It is cancelled", schema: JobAnswer } },
        errors: ["not_found", "conflict"],
        handle: async ({ param, res }) =>
          void res.json({ job: demand(await deps.cancelJob(param("id")), "job") }),
      }),
    },
  },
  {
    path: "/api/sessions/:id/title",
    tag: "Jobs",
    access: "protected",
    methods: {
      post: operation({
        summary: "Make a title from the latest exchange now, also over one that a person gave",
        description:
          "Answers when it is there. `title_not_found` (422, with `details.reason`) leaves the title as it is. 202: it is still being worked on.",
        body: EmptyBody,
        answers: {
          200: { description: "The session with its new title", schema: SessionAnswer },
          202: { description: "Not done yet", schema: JobAnswer },
        },
        errors: ["session_not_found", "title_not_found"],
        async handle(call) {
          const made = await deps.regenerateTitle((await deps.sessions.get(call.param("id"))).id);
          if (made === null) throw new TalariaError("session_not_found", "There is no such session.");
          const job = await ending(deps, made, call.res);
          if (job.ended_at === null) call.res.status(202).json({ job });
          else if (job.state === "done") call.res.json({ session: await deps.sessions.get(job.session_id) });
          else
            throw new TalariaError("title_not_found", "No better title was found.", {
              details: { reason: job.reason },
            });
        },
      }),
    },
  },
];

/** The job as it was last seen: at its end, or before when it is gone, takes too long, or nobody waits any more. */
const ending = async (
  { findJob }: Pick<JobRoutesDeps, "findJob">,
  made: Job,
  res: Response,
): Promise<Job> => {
  const until = performance.now() + WAIT_MS;
  let job = made;
  while (performance.now() < until && !res.destroyed) {
    const now = await findJob(made.id);
    if (now === null) break;
    job = now;
    if (job.ended_at !== null) break;
    await delay(LOOK_EVERY_MS);
  }
  return job;
};

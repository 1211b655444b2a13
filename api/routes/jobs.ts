import { TalariaError } from "../../common/base/errors.ts";
import { EmptyBody, SessionAnswer } from "../../common/contracts/http.ts";
import { type Job, JobAnswer, JobList } from "../../common/contracts/job.ts";
import type { SessionStore } from "../../common/sessions/port.ts";
import { type Call, operation, type Resource } from "../route.ts";

export interface JobRoutesDeps {
  readonly sessions: Pick<SessionStore, "get">;
  readonly findJob: (id: string) => Promise<Job | null>;
  readonly jobsOf: (sessionId: string) => Promise<readonly Job[]>;
  /** Makes the job, or finds the one that is about the same; null: the session is gone. */
  readonly regenerateTitle: (sessionId: string) => Promise<Job | null>;
  /** Begins a failed job anew; null: there is none. Rejects with `conflict` for one that ended otherwise. */
  readonly retryJob: (id: string) => Promise<Job | null>;
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
        handle: async (call) => void call.res.json({ job: await demand(deps, call) }),
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
        async handle(call) {
          const job = await deps.retryJob(call.param("id"));
          if (job === null) throw new TalariaError("not_found", "There is no such job.");
          call.res.status(202).json({ job });
        },
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
          const job = await deps.regenerateTitle((await deps.sessions.get(call.param("id"))).id);
          if (job === null) throw new TalariaError("session_not_found", "There is no such session.");
          const ended = await ending(deps, job, call);
          if (ended === null) call.res.status(202).json({ job: (await deps.findJob(job.id)) ?? job });
          else if (ended.state === "done")
            call.res.json({ session: await deps.sessions.get(ended.session_id) });
          else
            throw new TalariaError("title_not_found", "No better title was found.", {
              details: { reason: ended.reason },
            });
        },
      }),
    },
  },
];

const demand = async (
  deps: JobRoutesDeps,
  { param }: Pick<Call<unknown, unknown>, "param">,
): Promise<Job> => {
  const job = await deps.findJob(param("id"));
  if (job === null) throw new TalariaError("not_found", "There is no such job.");
  return job;
};

/** The job once it has ended; null when that takes too long, or nobody waits any more. */
const ending = async (
  { findJob }: JobRoutesDeps,
  job: Job,
  { res }: Pick<Call<unknown, unknown>, "res">,
): Promise<Job | null> => {
  const until = performance.now() + WAIT_MS;
  while (performance.now() < until && !res.destroyed) {
    const now = await findJob(job.id);
    if (now === null || now.ended_at !== null) return now;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return null;
};

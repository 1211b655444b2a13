import { demand } from "../../common/base/errors.ts";
import { EmptyBody } from "../../common/contracts/http.ts";
import { type Process, ProcessAnswer, ProcessList } from "../../common/contracts/process.ts";
import type { SessionStore } from "../../common/sessions/port.ts";
import { operation, type Resource } from "../route.ts";
import { sessionId } from "./sessions.ts";

export interface BackgroundProcessDeps {
  readonly sessions: Pick<SessionStore, "get">;
  readonly processesOf: (sessionId: string) => Promise<readonly Process[]>;
  readonly findProcess: (id: string) => Promise<ProcessAnswer | null>;
  /** Asks for its end, once; answers how it stands now. Null: there is none. */
  readonly killProcess: (id: string) => Promise<ProcessAnswer | null>;
}

/** Commands that runs left running in the background (background-jobs 4). */
export const backgroundProcessRoutes = (deps: BackgroundProcessDeps): readonly Resource[] => [
  {
    path: "/api/sessions/:id/processes",
    tag: "Processes",
    access: "protected",
    methods: {
      get: operation({
        summary: "Background processes of a session",
        answers: { 200: { description: "The newest first, of the last days", schema: ProcessList } },
        errors: ["session_not_found"],
        async handle(call) {
          const session = await deps.sessions.get(sessionId(call));
          call.res.json({ data: await deps.processesOf(session.id), next_cursor: null });
        },
      }),
    },
  },
  {
    path: "/api/processes/:id",
    tag: "Processes",
    access: "protected",
    methods: {
      get: operation({
        summary: "One background process with what it printed",
        answers: { 200: { description: "The process", schema: ProcessAnswer } },
        errors: ["not_found"],
        handle: async ({ param, res }) =>
          void res.json(demand(await deps.findProcess(param("id")), "process")),
      }),
    },
  },
  {
    path: "/api/processes/:id/kill",
    tag: "Processes",
    access: "protected",
    methods: {
      post: operation({
        summary: "End a background process",
        description:
          "Its worker ends it within seconds, with all that it started. The end is shown in the session; no turn is begun for it.",
        body: EmptyBody,
        answers: {
          202: { description: "It is being ended", schema: ProcessAnswer },
          200: { description: "It had ended before", schema: ProcessAnswer },
        },
        errors: ["not_found"],
        async handle({ param, res }) {
          const answer = demand(await deps.killProcess(param("id")), "process");
          res.status(answer.process.state === "running" ? 202 : 200).json(answer);
        },
      }),
    },
  },
];

import { z } from "zod";
import { demand } from "../../common/base/errors.ts";
import {
  CompressBody,
  CompressPreview,
  ContextAnswer,
  ContextList,
  CoveredList,
} from "../../common/contracts/context.ts";
import { EmptyBody, page, SessionAnswer } from "../../common/contracts/http.ts";
import { type Job, JobAnswer } from "../../common/contracts/job.ts";
import type { Session } from "../../common/contracts/session.ts";
import { operation, type Resource } from "../route.ts";
import { sessionId } from "./sessions.ts";

export interface ContextRoutesDeps {
  /** Without any model call. Rejects with `session_not_found`, `store_unavailable`, `profile_unavailable`. */
  readonly previewCompression: (sessionId: string) => Promise<z.infer<typeof CompressPreview>>;
  /**
   * Makes the job, or finds the one that is under way. Rejects with `session_not_found`, `session_busy`, `nothing_to_compress`,
   * `store_unavailable`.
   */
  readonly startCompression: (sessionId: string, focus: string | null) => Promise<Job>;
  readonly listContexts: (
    sessionId: string,
    query: { readonly limit: number; readonly cursor?: string | undefined },
  ) => Promise<z.infer<typeof ContextList>>;
  /** Null: there is no such version. */
  readonly findContext: (sessionId: string, version: number) => Promise<z.infer<typeof ContextAnswer> | null>;
  /** What a version stands for, oldest first; null: there is no such version. */
  readonly coveredBy: (
    sessionId: string,
    version: number,
    query: { readonly limit: number; readonly cursor?: string | undefined },
  ) => Promise<z.infer<typeof CoveredList> | null>;
  /** A new session with an empty context in an exhausted one's place, the same one however often it is asked for. */
  readonly continueSession: (
    sessionId: string,
  ) => Promise<{ readonly session: Session; readonly created: boolean }>;
}

const PageQuery = z.strictObject(page);

/** The model's context of a session and its compression (background-jobs 2). */
export const contextRoutes = (deps: ContextRoutesDeps): readonly Resource[] => [
  {
    path: "/api/sessions/:id/compress",
    tag: "Context",
    access: "protected",
    methods: {
      post: operation({
        summary: "Compress what the model is sent of this conversation",
        description:
          "A summary takes the place of older messages for the model alone; people see the conversation as before. Follow the job; a message that is sent meanwhile wins, and the job ends as `cancelled` with the reason `context_changed`.",
        body: CompressBody,
        answers: { 202: { description: "The job; the running one, where there is one", schema: JobAnswer } },
        errors: ["session_not_found", "session_busy", "nothing_to_compress", "store_unavailable"],
        async handle(call) {
          const { focus } = call.body;
          const wanted = focus === undefined || focus === "" ? null : focus;
          call.res.status(202).json({ job: await deps.startCompression(sessionId(call), wanted) });
        },
      }),
    },
  },
  {
    path: "/api/sessions/:id/compress/preview",
    tag: "Context",
    access: "protected",
    methods: {
      post: operation({
        summary: "What a compression would do, estimated without a model call",
        body: EmptyBody,
        answers: { 200: { description: "Figures in tokens and messages", schema: CompressPreview } },
        errors: ["session_not_found", "store_unavailable", "profile_unavailable", "profile_not_found"],
        handle: async (call) => void call.res.json(await deps.previewCompression(sessionId(call))),
      }),
    },
  },
  {
    path: "/api/sessions/:id/contexts",
    tag: "Context",
    access: "protected",
    methods: {
      get: operation({
        summary: "Compressions of this conversation, the newest first",
        query: PageQuery,
        answers: { 200: { description: "Without their summaries", schema: ContextList } },
        errors: ["session_not_found"],
        handle: async (call) => void call.res.json(await deps.listContexts(sessionId(call), call.query)),
      }),
    },
  },
  {
    path: "/api/sessions/:id/contexts/:version",
    tag: "Context",
    access: "protected",
    methods: {
      get: operation({
        summary: "One compression with its summary",
        answers: { 200: { description: "The version", schema: ContextAnswer } },
        errors: ["session_not_found", "not_found", "store_unavailable"],
        handle: async (call) =>
          void call.res.json(
            demand(await deps.findContext(sessionId(call), versionOf(call.param("version"))), "compression"),
          ),
      }),
    },
  },
  {
    path: "/api/sessions/:id/contexts/:version/messages",
    tag: "Context",
    access: "protected",
    methods: {
      get: operation({
        summary: "What a compression stands for: the messages as the model had them, oldest first",
        description: "Empty where they were taken back since then (undo, edit, clear).",
        query: PageQuery,
        answers: { 200: { description: "A page of messages", schema: CoveredList } },
        errors: ["session_not_found", "not_found", "store_unavailable"],
        handle: async (call) =>
          void call.res.json(
            demand(
              await deps.coveredBy(sessionId(call), versionOf(call.param("version")), call.query),
              "compression",
            ),
          ),
      }),
    },
  },
  {
    path: "/api/sessions/:id/continue",
    tag: "Context",
    access: "protected",
    methods: {
      post: operation({
        summary: "Go on in a new session with an empty context",
        description:
          "With the same profile, workspace and model. However often it is asked for, it is the same session; offered where a run ended as `compression_exhausted`.",
        body: EmptyBody,
        answers: { 200: { description: "The session", schema: SessionAnswer } },
        errors: ["session_not_found"],
        async handle(call) {
          const { session } = await deps.continueSession(sessionId(call));
          call.res.location(`/api/sessions/${session.id}`).json({ session });
        },
      }),
    },
  },
];

/** What cannot be a version names none. */
const versionOf = (text: string): number => (/^\d{1,9}$/.test(text) ? Number(text) : 0);

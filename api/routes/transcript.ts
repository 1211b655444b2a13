import { z } from "zod";
import {
  CutAnswer,
  DuplicateBody,
  EditBody,
  EmptyBody,
  ForkBody,
  IdempotencyKeySchema,
  ListMessagesQuery,
  MessagePage,
  RetryBody,
  SessionAnswer,
  StartRunAnswer,
  TruncateBody,
  UndoBody,
} from "../../common/contracts/http.ts";
import { MessageSchema } from "../../common/contracts/message.ts";
import type { RunControl } from "../../common/lifecycle/port.ts";
import type { RunStore } from "../../common/runs/port.ts";
import type { SessionStore } from "../../common/sessions/port.ts";
import type { TranscriptChanges, Transcripts } from "../../common/transcript/port.ts";
import type { Metrics } from "../ops/metrics.ts";
import { type Call, operation, type Resource } from "../route.ts";
import { createRunInPlace } from "../run-in-place.ts";
import { idempotencyOf } from "./runs.ts";
import { sessionId } from "./sessions.ts";

export interface TranscriptRoutesDeps {
  readonly sessions: SessionStore;
  readonly runs: RunStore;
  readonly control: RunControl;
  readonly transcripts: Transcripts;
  readonly changes: TranscriptChanges;
  readonly metrics: Pick<Metrics, "runsAccepted">;
}

const CUT_ERRORS = ["session_not_found", "session_busy", "store_unavailable"] as const;

/** What a session's messages are and what people do with them (session-reconciliation c.7, d). */
export const transcriptRoutes = (deps: TranscriptRoutesDeps): readonly Resource[] => {
  const { sessions, runs, control, transcripts, changes } = deps;
  const runInPlace = createRunInPlace(deps);

  const messages = get("/api/sessions/:id/messages", {
    summary: "Messages, from the end; oldest first inside a page",
    description: "Whoever wrote them: this server, or another program by way of state.db.",
    query: ListMessagesQuery,
    answers: { 200: { description: "A page of messages", schema: MessagePage } },
    errors: ["session_not_found"],
    handle: async (call) => void call.res.json(await transcripts.page(sessionId(call), call.query)),
  });
  const message = get("/api/sessions/:id/messages/:message", {
    summary: "One message with its whole text",
    answers: { 200: { description: "The message", schema: z.strictObject({ message: MessageSchema }) } },
    errors: ["session_not_found", "message_not_found"],
    handle: async (call) =>
      void call.res.json({ message: await transcripts.message(sessionId(call), call.param("message")) }),
  });
  const undo = post("/api/sessions/:id/undo", {
    summary: "Take the last turns back",
    body: UndoBody,
    answers: { 200: { description: "What was taken away", schema: CutAnswer } },
    errors: [...CUT_ERRORS, "nothing_to_undo"],
    handle: async (call) => void call.res.json(await changes.undo(sessionId(call), call.body.turns)),
  });
  const truncate = post("/api/sessions/:id/truncate", {
    summary: "Take everything behind a message away",
    body: TruncateBody,
    answers: { 200: { description: "What was taken away", schema: CutAnswer } },
    errors: [...CUT_ERRORS, "message_not_found"],
    handle: async (call) =>
      void call.res.json(await changes.truncate(sessionId(call), call.body.keep_through)),
  });
  const clear = post("/api/sessions/:id/clear", {
    summary: "Take all messages away; the session stays",
    body: EmptyBody,
    answers: { 200: { description: "What was taken away", schema: CutAnswer } },
    errors: CUT_ERRORS,
    handle: async (call) => void call.res.json(await changes.clear(sessionId(call))),
  });

  /** A cut and the run that takes its place, accepted in one transaction. */
  const startInstead = async (
    call: Call<unknown, { model?: string | undefined; recovery: "resume" | "fail" }>,
    messageId: string | null,
    input: string | null,
  ): Promise<void> => {
    const id = sessionId(call);
    const request = { what: messageId === null ? "retry" : "edit", messageId, input, ...call.body };
    const idempotency = idempotencyOf(call.req.headers["idempotency-key"], request);
    const known = idempotency === null ? null : await runs.replay(id, idempotency);
    const run =
      known ??
      (await runInPlace(id, messageId, {
        ...{ input, model: call.body.model ?? null, recovery: call.body.recovery, idempotency },
        traceparent: call.req.get("traceparent") ?? null,
      }));
    call.res
      .status(202)
      .location(`/api/runs/${run.id}`)
      .json({ run, events_url: `/api/runs/${run.id}/events` });
  };
  const headers = z.object({ "idempotency-key": IdempotencyKeySchema.optional() });
  const retry = post("/api/sessions/:id/retry", {
    summary: "Send the last user message again in its place",
    headers,
    body: RetryBody,
    answers: { 202: { description: "The run", schema: StartRunAnswer } },
    errors: [...CUT_ERRORS, "nothing_to_undo", "idempotency_mismatch"],
    handle: (call) => startInstead(call, null, null),
  });
  const edit = post("/api/sessions/:id/edit", {
    summary: "Replace a user message and everything after it",
    headers,
    body: EditBody,
    answers: { 202: { description: "The run", schema: StartRunAnswer } },
    errors: [...CUT_ERRORS, "message_not_found", "idempotency_mismatch"],
    handle: (call) => startInstead(call, call.body.message_id, call.body.input),
  });

  const answerCopy = async (
    call: Call<unknown, unknown>,
    options: { readonly through?: string | undefined; readonly title: string | null },
  ): Promise<void> => {
    const session = await changes.fork(sessionId(call), options);
    void control.sessionChanged(session.id, "created");
    call.res.status(201).location(`/api/sessions/${session.id}`).json({ session });
  };
  const fork = post("/api/sessions/:id/fork", {
    summary: "A new session with copies of the messages up to one of them",
    body: ForkBody,
    answers: { 201: { description: "The new session", schema: SessionAnswer } },
    errors: ["session_not_found", "message_not_found", "store_unavailable", "body_too_large"],
    handle: (call) => answerCopy(call, { title: call.body.title ?? null, through: call.body.through }),
  });
  const duplicate = post("/api/sessions/:id/duplicate", {
    summary: "A copy of the session",
    body: DuplicateBody,
    answers: { 201: { description: "The copy", schema: SessionAnswer } },
    errors: ["session_not_found", "store_unavailable", "body_too_large"],
    async handle(call) {
      const { title } = await sessions.get(sessionId(call));
      const named = call.body.title ?? (title === null ? null : `${title.slice(0, 290)} (copy)`);
      await answerCopy(call, { title: named });
    },
  });
  const read = post("/api/sessions/:id/read", {
    summary: "Everything up to now has been seen",
    body: EmptyBody,
    answers: { 200: { description: "The session", schema: SessionAnswer } },
    errors: ["session_not_found"],
    async handle(call) {
      const session = await sessions.markRead(sessionId(call));
      control.hint(session);
      call.res.json({ session });
    },
  });
  return [messages, message, undo, truncate, clear, retry, edit, fork, duplicate, read];
};

const resource = (path: string, methods: Resource["methods"]): Resource => ({
  ...{ path, tag: "Transcript", access: "protected" },
  methods,
});
const get: Verb = (path, it) => resource(path, { get: operation(it) });
const post: Verb = (path, it) => resource(path, { post: operation(it) });
type Verb = <Query extends z.ZodType, Body extends z.ZodType>(
  path: string,
  it: Parameters<typeof operation<Query, Body>>[0],
) => Resource;

import type { Request, Response } from "express";
import { z } from "zod";
import { TalariaError } from "../../common/base/errors.ts";
import { IdSchema } from "../../common/contracts/ids.ts";
import { principalIn } from "../middleware/auth.ts";
import { type Answer, operation, type Resource } from "../route.ts";
import { type Feed, prepareRunStream, type StreamDeps } from "../sse/run-stream.ts";
import { prepareSessionStream, prepareTabStream } from "../sse/session-stream.ts";
import type { Streams } from "../sse/streams.ts";
import { runId } from "./runs.ts";
import { sessionId } from "./sessions.ts";

export interface EventRoutesDeps extends StreamDeps {
  readonly streams: Streams;
}

/** A cursor is whatever a client sends: a bad one must never become an error, so these stay loose. */
const loose = z.union([z.string(), z.array(z.string())]).optional();
const CursorQuery = z.looseObject({
  last_event_id: loose.meta({ description: "cursor to continue after; like the header Last-Event-ID" }),
  after: loose.meta({ description: "0: from the start" }),
});
const TabQuery = CursorQuery.extend({
  session_id: IdSchema.optional().meta({
    description: "the session in view; without it only list hints come",
  }),
});
type CursorQuery = z.infer<typeof CursorQuery>;

const headers = z.object({ "last-event-id": z.string().optional() });
const STREAM: Readonly<Record<string, Answer>> = {
  200: { description: "Frames of `id`, `event` and `data`", type: "text/event-stream" },
};

/** The event streams (native-api "Events"). Each continues after a cursor; the greatest valid one that is given wins. */
export const eventRoutes = (deps: EventRoutesDeps): readonly Resource[] => {
  const serve = (req: Request, res: Response, prepare: () => Promise<Feed>): Promise<void> => {
    const principal = principalIn(res);
    return deps.streams.serve(req, res, principal?.kind === "local" ? null : principal, prepare);
  };

  return [
    {
      path: "/api/runs/:id/events",
      tag: "Events",
      access: "protected",
      stream: true,
      methods: {
        get: operation({
          summary: "Follow a run, from its start or after a cursor, until `stream_end`",
          query: CursorQuery,
          headers,
          answers: STREAM,
          errors: ["run_not_found", "too_many_streams", "overloaded", "redis_unavailable"],
          handle: (call) =>
            serve(call.req, call.res, () =>
              prepareRunStream(deps, runId(call), cursorsOf(call.req, call.query)),
            ),
        }),
      },
    },
    {
      path: "/api/sessions/:id/events",
      tag: "Events",
      access: "protected",
      stream: true,
      methods: {
        get: operation({
          summary: "Follow a session across its runs, from now (with a snapshot first) or after a cursor",
          query: CursorQuery,
          headers,
          answers: STREAM,
          errors: ["session_not_found", "too_many_streams", "overloaded", "redis_unavailable"],
          handle: (call) =>
            serve(call.req, call.res, () =>
              prepareSessionStream(deps, sessionId(call), cursorsOf(call.req, call.query)),
            ),
        }),
      },
    },
    {
      path: "/api/events",
      tag: "Events",
      access: "protected",
      stream: true,
      methods: {
        get: operation({
          summary: "One connection for a whole tab: hints about the session list, and the session in view",
          query: TabQuery,
          headers,
          answers: STREAM,
          errors: ["session_not_found", "too_many_streams", "overloaded", "redis_unavailable"],
          handle: ({ req, res, query }) =>
            serve(req, res, () => prepareTabStream(deps, query.session_id ?? null, cursorsOf(req, query))),
        }),
      },
    },
  ];
};

/** All cursors of a request: a browser that reconnects sends the old address and a fresh header. */
const cursorsOf = (req: Request, query: CursorQuery): string[] => {
  const given = [req.headers["last-event-id"], query.last_event_id, query.after].flat();
  const cursors = given.filter((cursor): cursor is string => cursor !== undefined && cursor !== "");
  if (cursors.length > 8) throw new TalariaError("invalid_request", "Too many cursors.");
  return cursors;
};

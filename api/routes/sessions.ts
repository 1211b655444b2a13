import { createHash } from "node:crypto";
import type { Request, Response } from "express";
import { isTalariaError, TalariaError } from "../../common/base/errors.ts";
import {
  CreateSessionBody,
  EmptyBody,
  HeadList,
  HeadsQuery,
  ListSessionsQuery,
  PatchSessionBody,
  SessionAnswer,
  SessionList,
} from "../../common/contracts/http.ts";
import { IdSchema } from "../../common/contracts/ids.ts";
import { SessionHeadSchema } from "../../common/contracts/session.ts";
import { type Journal, sessionCursor } from "../../common/journal/port.ts";
import type { RunControl } from "../../common/lifecycle/port.ts";
import type { SessionStore } from "../../common/sessions/port.ts";
import type { Finder } from "../../common/transcript/find.ts";
import { isRedisAway } from "../middleware/errors.ts";
import { type Call, operation, type Resource } from "../route.ts";
import type { ProfileNaming } from "./profiles.ts";

export interface SessionRoutesDeps {
  readonly sessions: SessionStore;
  readonly journal: Journal;
  readonly control: RunControl;
  readonly finder: Pick<Finder, "sessionsMatching">;
  readonly profiles: ProfileNaming;
  /** The folder as it is stored. Rejects with `workspace_refused`. */
  readonly workspaceCheck: (path: string, profile: string) => Promise<string>;
}

/** Sessions and what they hold (native-api "Sessions"). */
export const sessionRoutes = (deps: SessionRoutesDeps): readonly Resource[] => {
  const { sessions, journal, control } = deps;

  const list: Resource = {
    path: "/api/sessions",
    tag: "Sessions",
    access: "protected",
    methods: {
      get: operation({
        summary: "List sessions, newest activity first",
        query: ListSessionsQuery,
        answers: { 200: { description: "A page of sessions", schema: SessionList } },
        async handle(call) {
          const query = await deps.profiles.asNamed(call.query);
          const matching =
            query.q === undefined ? [] : await deps.finder.sessionsMatching(query.q, query.profile);
          call.res.json(await sessions.list({ ...query, matching }));
        },
      }),
      post: operation({
        summary: "Create a session",
        description: "With an `id` the call can be repeated: the session of that id is answered as it is.",
        body: CreateSessionBody,
        answers: { 201: { description: "The session", schema: SessionAnswer } },
        errors: ["profile_not_found", "workspace_refused", "conflict", "storage_full"],
        async handle({ body, res }) {
          const profile = await deps.profiles.demand(body.profile ?? "default");
          const { workspace: wanted, ...rest } = body;
          const workspace =
            wanted === undefined ? {} : { workspace: await deps.workspaceCheck(wanted, profile) };
          const { session, created } = await sessions.create({ ...rest, ...workspace, profile });
          if (created) void control.sessionChanged(session.id, "created");
          res.status(201).location(`/api/sessions/${session.id}`).json({ session });
        },
      }),
    },
  };

  const heads: Resource = {
    path: "/api/sessions/heads",
    tag: "Sessions",
    access: "protected",
    methods: {
      get: operation({
        summary: "The heads of many sessions at once",
        query: HeadsQuery,
        answers: {
          200: { description: "Heads, with an ETag; unknown sessions are left out", schema: HeadList },
          304: { description: "Nothing changed since the ETag in `If-None-Match`" },
        },
        async handle({ query, req, res }) {
          const found = await sessions.heads(query.ids);
          const ends = await orWithoutRedis(
            () => journal.heads(found.map((head) => head.session_id)),
            () => [],
          );
          const data = found.map((head, i) => ({ ...head, last_event_id: cursorOf(ends[i]) }));
          answerTagged(req, res, { data, next_cursor: null });
        },
      }),
    },
  };

  const one: Resource = {
    path: "/api/sessions/:id",
    tag: "Sessions",
    access: "protected",
    methods: {
      get: operation({
        summary: "One session",
        answers: { 200: { description: "The session", schema: SessionAnswer } },
        errors: ["session_not_found"],
        handle: async (call) => void call.res.json({ session: await sessions.get(sessionId(call)) }),
      }),
      patch: operation({
        summary: "Change a session",
        body: PatchSessionBody,
        answers: { 200: { description: "The changed session", schema: SessionAnswer } },
        errors: ["session_not_found", "profile_not_found", "workspace_refused", "conflict"],
        async handle(call) {
          const id = sessionId(call);
          const { workspace, profile, ...rest } = call.body;
          const current = await sessions.get(id);
          const target = profile === undefined ? current.profile : await deps.profiles.demand(profile);
          const change = profile === undefined ? rest : { ...rest, profile: target };
          const folder =
            typeof workspace === "string"
              ? { workspace: await deps.workspaceCheck(workspace, target) }
              : workspace === null
                ? { workspace }
                : {};
          const session = await sessions.patch(id, { ...change, ...folder });
          void control.sessionChanged(id, "patched");
          call.res.json({ session });
        },
      }),
      delete: operation({
        summary: "Delete a session; its runs are cancelled",
        body: EmptyBody,
        answers: { 204: { description: "Deleted" } },
        errors: ["session_not_found"],
        async handle(call) {
          await control.deleteSession(sessionId(call));
          call.res.status(204).end();
        },
      }),
    },
  };

  const head: Resource = {
    path: "/api/sessions/:id/head",
    tag: "Sessions",
    access: "protected",
    methods: {
      get: operation({
        summary: "What a polling client needs, without reading a message",
        answers: {
          200: { description: "The head, with an ETag", schema: SessionHeadSchema },
          304: { description: "Nothing changed since the ETag in `If-None-Match`" },
        },
        errors: ["session_not_found"],
        async handle(call) {
          const id = sessionId(call);
          const row = await sessions.head(id);
          const end = await orWithoutRedis(
            () => journal.head(id),
            () => null,
          );
          const answer = { ...row, last_event_id: cursorOf(end) };
          answerTagged(call.req, call.res, answer);
        },
      }),
    },
  };

  return [list, heads, one, head];
};

/** The id in the path. What cannot be an id names no session: it is missing, not malformed. */
export const sessionId = ({ param }: Pick<Call<unknown, unknown>, "param">): string => {
  const id = param("id");
  if (!IdSchema.safeParse(id).success)
    throw new TalariaError("session_not_found", "There is no session of that id.");
  return id;
};

/** The journal's part of an answer that is worth giving without it, too. */
export const orWithoutRedis = async <T>(ask: () => Promise<T>, otherwise: () => T): Promise<T> => {
  try {
    return await ask();
  } catch (error) {
    if (isRedisAway(error) || isTalariaError(error, "redis_unavailable")) return otherwise();
    throw error;
  }
};

/** The tag is of the whole answer: a poller is told of a new event even when no message changed. */
const answerTagged = (req: Request, res: Response, answer: unknown): void => {
  const text = JSON.stringify(answer);
  const tag = `"${createHash("sha256").update(text).digest("base64url").slice(0, 27)}"`;
  res.set("ETag", tag);
  if (isKnownTag(req.headers["if-none-match"], tag)) res.status(304).end();
  else res.type("application/json").send(text);
};

/**
 * Weak comparison with a list of tags. Not Express' `fresh`: that gives no 304 beside `Cache-Control: no-cache`, which `fetch`
 * adds by itself when a caller sets If-None-Match.
 */
const isKnownTag = (header: string | undefined, tag: string): boolean =>
  header?.split(",").some((known) => known.trim() === "*" || known.trim().replace(/^W\//, "") === tag) ??
  false;

const cursorOf = (
  end: { readonly seq: number; readonly generation: number } | null | undefined,
): string | null => (end === null || end === undefined ? null : sessionCursor(end));

import { isTalariaError, TalariaError } from "../../common/base/errors.ts";
import {
  CreateSessionBody,
  EmptyBody,
  HeadList,
  HeadsQuery,
  ListMessagesQuery,
  ListSessionsQuery,
  MessagePage,
  PatchSessionBody,
  SessionAnswer,
  SessionList,
} from "../../common/contracts/http.ts";
import { IdSchema } from "../../common/contracts/ids.ts";
import { SessionHeadSchema } from "../../common/contracts/session.ts";
import { type Journal, sessionCursor } from "../../common/journal/port.ts";
import type { RunControl } from "../../common/lifecycle/port.ts";
import type { SessionStore } from "../../common/sessions/port.ts";
import { isRedisAway } from "../middleware/errors.ts";
import { type Call, operation, type Resource } from "../route.ts";

export interface SessionRoutesDeps {
  readonly sessions: SessionStore;
  readonly journal: Journal;
  readonly control: RunControl;
  readonly profiles: { exists(name: string): Promise<boolean> };
  /** The folder as it is stored. Rejects with `workspace_refused`. */
  readonly workspaceCheck: (path: string, profile: string) => Promise<string>;
}

/** Sessions and what they hold (native-api "Sessions"). */
export const sessionRoutes = (deps: SessionRoutesDeps): readonly Resource[] => {
  const { sessions, journal, control } = deps;

  const demandProfile = async (profile: string): Promise<void> => {
    if (!(await deps.profiles.exists(profile)))
      throw new TalariaError("profile_not_found", "There is no profile of that name.");
  };

  const list: Resource = {
    path: "/api/sessions",
    tag: "Sessions",
    access: "protected",
    methods: {
      get: operation({
        summary: "List sessions, newest activity first",
        query: ListSessionsQuery,
        answers: { 200: { description: "A page of sessions", schema: SessionList } },
        handle: async ({ query, res }) => void res.json(await sessions.list(query)),
      }),
      post: operation({
        summary: "Create a session",
        description: "With an `id` the call can be repeated: the session of that id is answered as it is.",
        body: CreateSessionBody,
        answers: { 201: { description: "The session", schema: SessionAnswer } },
        errors: ["profile_not_found", "workspace_refused", "conflict", "storage_full"],
        async handle({ body, res }) {
          const profile = body.profile ?? "default";
          await demandProfile(profile);
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
        answers: { 200: { description: "Heads; unknown sessions are left out", schema: HeadList } },
        async handle({ query, res }) {
          const found = await sessions.heads(query.ids);
          const ends = await orWithoutRedis(
            () => journal.heads(found.map((head) => head.session_id)),
            () => [],
          );
          const data = found.map((head, i) => ({ ...head, last_event_id: cursorOf(ends[i]) }));
          res.json({ data, next_cursor: null });
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
          const { workspace, ...change } = call.body;
          const current = await sessions.get(id);
          if (change.profile !== undefined) await demandProfile(change.profile);
          const folder =
            typeof workspace === "string"
              ? { workspace: await deps.workspaceCheck(workspace, change.profile ?? current.profile) }
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

  const messages: Resource = {
    path: "/api/sessions/:id/messages",
    tag: "Sessions",
    access: "protected",
    methods: {
      get: operation({
        summary: "Messages, from the end; oldest first inside a page",
        query: ListMessagesQuery,
        answers: { 200: { description: "A page of messages", schema: MessagePage } },
        errors: ["session_not_found"],
        handle: async (call) => void call.res.json(await sessions.messages(sessionId(call), call.query)),
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
          // Whole state in the tag: a poller is told of a new event even when no message changed.
          const tag = `"${Object.values(answer).join(".")}"`;
          call.res.set("ETag", tag);
          if (isKnownTag(call.req.headers["if-none-match"], tag)) call.res.status(304).end();
          else call.res.json(answer);
        },
      }),
    },
  };

  return [list, heads, one, messages, head];
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

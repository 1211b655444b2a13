import { once } from "node:events";
import { newId } from "../../common/base/ids.ts";
import { ExportQuery, ImportBody, SessionAnswer } from "../../common/contracts/http.ts";
import type { Message } from "../../common/contracts/message.ts";
import type { Session } from "../../common/contracts/session.ts";
import { exportSession } from "../../common/exchange/export.ts";
import { EXPORT_TYPES, exportName } from "../../common/exchange/formats.ts";
import type { RunControl } from "../../common/lifecycle/port.ts";
import type { Redactor } from "../../common/logging/redact.ts";
import type { CopiedSession } from "../../common/sessions/copy-ops.ts";
import type { SessionStore } from "../../common/sessions/port.ts";
import { copyOf } from "../../common/transcript/changes.ts";
import type { Transcripts } from "../../common/transcript/port.ts";
import { operation, type Resource } from "../route.ts";
import type { ProfileNaming } from "./profiles.ts";
import { sessionId } from "./sessions.ts";

export interface ExchangeRoutesDeps {
  readonly sessions: SessionStore;
  readonly transcripts: Transcripts;
  readonly control: RunControl;
  /** Takes secrets out of what leaves as a file (security-contract 84); never rejects. */
  readonly redactorOf: (profile: string) => Promise<Redactor>;
  readonly profiles: Pick<ProfileNaming, "demand">;
  /** One transaction; `copy`: the messages are then brought into state.db. */
  readonly copySession: (input: CopiedSession, copy: boolean) => Promise<Session>;
}

const IMPORT_BYTES = 64 * 1024 * 1024;

/** Taking sessions out and in again. */
export const exchangeRoutes = (deps: ExchangeRoutesDeps): readonly Resource[] => [
  {
    path: "/api/sessions/:id/export",
    tag: "Sessions",
    access: "protected",
    methods: {
      get: operation({
        summary: "The whole session as a file",
        query: ExportQuery,
        answers: { 200: { description: "JSON (which `import` takes), Markdown or HTML" } },
        errors: ["session_not_found", "store_unavailable"],
        async handle(call) {
          const { res } = call;
          const session = await deps.sessions.get(sessionId(call));
          const { format } = call.query;
          const gone = new AbortController();
          res.once("close", () => gone.abort());
          const redactor = await deps.redactorOf(session.profile);
          const messages = await begun(redacted(deps.transcripts.all(session.id), redactor));
          res.set("Content-Type", EXPORT_TYPES[format]);
          res.set("Content-Disposition", `attachment; filename="${exportName(session, format)}"`);
          for await (const text of exportSession(format, session, messages, Date.now() / 1000)) {
            if (gone.signal.aborted) return;
            if (!res.write(text)) await once(res, "drain", { signal: gone.signal }).catch(() => undefined);
          }
          res.end();
        },
      }),
    },
  },
  {
    path: "/api/sessions/import",
    tag: "Sessions",
    access: "protected",
    bodyLimit: IMPORT_BYTES,
    methods: {
      post: operation({
        summary: "A new session from an exported one",
        body: ImportBody,
        answers: { 201: { description: "The new session", schema: SessionAnswer } },
        errors: ["profile_not_found", "storage_full"],
        async handle({ body, res }) {
          const profile = await deps.profiles.demand(body.profile ?? "default");
          const id = newId("ses");
          const now = Date.now() / 1000;
          const session = await deps.copySession(
            {
              ...{ id, profile, source: "talaria", workspace: null, pinned: false, archived: false },
              title: body.session.title ?? null,
              titleSource: body.session.title == null ? null : "user",
              model: body.session.model ?? null,
              ...{ createdAt: now, updatedAt: now, forkedFrom: null, store: null, digest: null },
              messages: body.messages.map((message, i) =>
                copyOf({ ...message, origin: "import" }, `${id}-c${i}`),
              ),
            },
            true,
          );
          void deps.control.sessionChanged(session.id, "created");
          res.status(201).location(`/api/sessions/${session.id}`).json({ session });
        },
      }),
    },
  },
];

/** The same messages, once the first one was read: until then, an error can still be answered. */
const begun = async (messages: AsyncGenerator<Message>): Promise<AsyncIterable<Message>> => {
  const first = await messages.next();
  return (async function* () {
    if (first.done) return;
    yield first.value;
    yield* messages;
  })();
};

async function* redacted(messages: AsyncIterable<Message>, redactor: Redactor): AsyncGenerator<Message> {
  for await (const message of messages) yield redactor.value(message) as Message;
}

import { createHash } from "node:crypto";
import { TalariaError } from "../common/base/errors.ts";
import { coverage } from "../common/compression/keys.ts";
import { MIN_MESSAGES, prepareCompression } from "../common/compression/prepare.ts";
import { createTokenCounter } from "../common/compression/tokens.ts";
import type { RunControl } from "../common/lifecycle/port.ts";
import { contextLimits } from "../common/profiles/context-settings.ts";
import type { Profile } from "../common/profiles/port.ts";
import type { SessionStore } from "../common/sessions/port.ts";
import { decodePageCursor, encodePageCursor } from "../common/sqlite/page-cursor.ts";
import type { TalariaDb } from "../common/talaria-db/open.ts";
import type { ContextReader, SessionContext } from "../common/transcript/port.ts";
import type { ContextRoutesDeps } from "./routes/contexts.ts";

export interface ContextCallsDeps {
  readonly db: Pick<TalariaDb, "read" | "write"> & {
    readonly sessions: Pick<SessionStore, "get" | "create">;
  };
  readonly context: Pick<ContextReader, "sessionContext">;
  readonly control: Pick<RunControl, "tell" | "sessionChanged">;
  readonly resolveProfile: (name: string) => Promise<Profile>;
}

/** What the routes of the model's context ask of the stores. What a call decided is told at once. */
export const contextCalls = ({
  db,
  context,
  control,
  resolveProfile,
}: ContextCallsDeps): ContextRoutesDeps => {
  const { read, write, sessions } = db;
  const counter = createTokenCounter();

  return {
    async previewCompression(id) {
      const session = await sessions.get(id);
      const [now, profile] = await Promise.all([context.sessionContext(id), resolveProfile(session.profile)]);
      const limits = contextLimits(profile, session.model);
      const prepared =
        modelVisible(now) < MIN_MESSAGES ? null : await prepareCompression(now, counter, limits);
      const tokens = prepared?.tokensBefore ?? (await counter.total(now.messages));
      return {
        messages: modelVisible(now),
        summarised: prepared?.summarised ?? 0,
        kept: prepared?.kept ?? modelVisible(now),
        tokens_before: tokens,
        tokens_after: prepared?.tokensAfter ?? tokens,
        parts: prepared?.parts.length ?? 0,
        context_length: limits.contextLength,
        threshold_tokens: limits.automatic ? limits.thresholdTokens : null,
      };
    },

    async startCompression(id, focus) {
      await sessions.get(id);
      if (modelVisible(await context.sessionContext(id)) < MIN_MESSAGES)
        throw new TalariaError(
          "nothing_to_compress",
          `A conversation of fewer than ${MIN_MESSAGES} messages is not compressed.`,
        );
      const made = await write.startCompression(id, focus);
      if (made === null) throw new TalariaError("session_not_found", "There is no such session.");
      await control.tell(made.outbox);
      return made.job;
    },

    async listContexts(id, query) {
      await sessions.get(id);
      const { data, next_cursor } = await read.listContexts(id, query);
      return { data: [...data], next_cursor };
    },

    async findContext(id, version) {
      await sessions.get(id);
      const found = await read.contextVersion(id, version);
      if (found === null) return null;
      const now = await context.sessionContext(id);
      const { summary } = found.context;
      return { context: { ...found.info, summary, in_use: now.version?.version === version } };
    },

    async coveredBy(id, version, { limit, cursor }) {
      await sessions.get(id);
      const found = await read.contextVersion(id, version);
      if (found === null) return null;
      const from = cursor === undefined ? 0 : Number(decodePageCursor(cursor, ["number"])[0]);
      const now = await context.sessionContext(id);
      const isCovered = coverage(now, found.context.covered) ?? [];
      const covered = now.raw.filter((_, index) => isCovered[index] === true);
      return {
        data: covered.slice(from, from + limit).map(({ id: message_id, message: { role, content } }) => ({
          ...{ message_id, role, content },
        })),
        next_cursor: covered.length > from + limit ? encodePageCursor([from + limit]) : null,
      };
    },

    async continueSession(id) {
      const { profile, model, workspace } = await sessions.get(id);
      const made = await sessions.create({
        id: continuationOf(id),
        profile,
        ...(model === null ? {} : { model }),
        ...(workspace === null ? {} : { workspace }),
      });
      if (made.created) void control.sessionChanged(made.session.id, "created");
      return made;
    },
  };
};

/** Without the note of an earlier compression. */
const modelVisible = ({ raw, isCovered }: SessionContext): number =>
  raw.filter((_, index) => isCovered[index] !== true).length;

/** Derived from the session, so that there is one however often and wherever it is asked for (B-29). */
const continuationOf = (sessionId: string): string =>
  `cont_${createHash("sha256").update(sessionId).digest("hex").slice(0, 24)}`;

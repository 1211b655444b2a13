import { z } from "zod";
import { IdSchema, ProfileNameSchema } from "./ids.ts";
import { MessageSchema } from "./message.ts";
import { RunSchema, RunStatusSchema } from "./run.ts";
import { SessionHeadSchema, SessionSchema, StoreStateSchema } from "./session.ts";

/** Bodies and queries of the native API (native-api). Requests are strict: unknown fields are refused. */

/** Characters of a title and of a model's name. */
export const MAX_TITLE = 300;
export const MAX_MODEL = 200;
const title = z.string().trim().min(1).max(MAX_TITLE);
const model = z.string().trim().min(1).max(MAX_MODEL);
const workspace = z.string().min(1).max(4096);

export const CreateSessionBody = z
  .strictObject({
    id: IdSchema.optional().describe("makes the call idempotent"),
    title: title.optional(),
    profile: ProfileNameSchema.optional(),
    model: model.optional(),
    workspace: workspace.optional(),
  })
  .meta({ id: "CreateSession" });
export type CreateSessionBody = z.infer<typeof CreateSessionBody>;

export const PatchSessionBody = z
  .strictObject({
    title: title.nullable().optional().describe("null: none; the next one is automatic again"),
    pinned: z.boolean().optional(),
    archived: z.boolean().optional(),
    model: model.nullable().optional(),
    profile: ProfileNameSchema.optional(),
    workspace: workspace.nullable().optional(),
  })
  .meta({ id: "PatchSession" });
export type PatchSessionBody = z.infer<typeof PatchSessionBody>;

export const MAX_INPUT_CHARS = 900_000;
const InputPart = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("text"), text: z.string().max(MAX_INPUT_CHARS) }),
  z.strictObject({ type: z.literal("file"), upload_id: IdSchema }),
]);

export const StartRunBody = z
  .strictObject({
    input: z.union([z.string().min(1).max(MAX_INPUT_CHARS), z.array(InputPart).min(1).max(64)]),
    model: model.optional(),
    on_busy: z.enum(["reject", "queue", "interrupt", "steer"]).default("reject"),
    recovery: z.enum(["resume", "fail"]).default("resume"),
    attachments: z.array(z.unknown()).max(64).optional(),
  })
  .meta({ id: "StartRun" });
export type StartRunBody = z.infer<typeof StartRunBody>;

/** A message that exists in the session; `messages` pages name it. */
const messageId = z.string().min(1).max(200);
const runOptions = {
  model: model.optional(),
  recovery: z.enum(["resume", "fail"]).default("resume"),
};

export const UndoBody = z
  .strictObject({ turns: z.number().int().min(1).max(1000).default(1).describe("user turns to take back") })
  .meta({ id: "Undo" });
export const TruncateBody = z
  .strictObject({ keep_through: messageId.describe("the last message that stays") })
  .meta({ id: "Truncate" });
export const RetryBody = z.strictObject(runOptions).meta({ id: "Retry" });
export const EditBody = z
  .strictObject({
    message_id: messageId.describe("a user message; it and everything after it is replaced"),
    input: z.string().min(1).max(MAX_INPUT_CHARS),
    ...runOptions,
  })
  .meta({ id: "Edit" });
export const ForkBody = z
  .strictObject({
    through: messageId.optional().describe("the last message that is copied; all of them when absent"),
    title: title.optional(),
  })
  .meta({ id: "Fork" });
export const DuplicateBody = z.strictObject({ title: title.optional() }).meta({ id: "Duplicate" });
/** What a cut took away. `input` is the first user message among it, for the composer. */
export const CutAnswer = z.strictObject({
  session: SessionSchema,
  removed_count: z.number().int().nonnegative(),
  input: z.string().nullable(),
});
export type CutAnswer = z.infer<typeof CutAnswer>;

export const ExportQuery = z.strictObject({
  format: z.enum(["json", "markdown", "html"]).default("json"),
});
/** Messages that a copy or an import of a session may have. */
export const MAX_COPIED_MESSAGES = 20_000;
/** The end of the year 9999: other programs cannot read later times. */
export const MAX_TIME = 253_402_300_799;
/** A session as `export?format=json` writes it and `import` takes it. Unknown fields of messages are ignored. */
export const EXPORT_VERSION = 1;
export const ImportBody = z
  .strictObject({
    talaria_export: z.literal(EXPORT_VERSION),
    exported_at: z.number().optional(),
    session: z.object({
      title: z.string().max(MAX_TITLE).nullable().optional(),
      model: z.string().max(MAX_MODEL).nullable().optional(),
    }),
    messages: z
      .array(
        z.object({
          role: z.enum(["user", "assistant", "tool", "notice"]),
          content: z.string(),
          parts: MessageSchema.shape.parts,
          reasoning: z.string().optional(),
          tool_calls: MessageSchema.shape.tool_calls,
          tool_call_id: z.string().optional(),
          tool_name: z.string().optional(),
          is_error: z.boolean().optional(),
          source: MessageSchema.shape.source,
          status: MessageSchema.shape.status.default("complete"),
          created_at: z.number().nonnegative().max(MAX_TIME),
        }),
      )
      .max(MAX_COPIED_MESSAGES),
    profile: ProfileNameSchema.optional().describe(
      "where it is imported to; the default profile when absent",
    ),
  })
  .meta({ id: "ImportSession" });
export type ImportBody = z.infer<typeof ImportBody>;

export const SettingsSchema = z
  .strictObject({ bot_name: z.string().describe('name of the assistant in notices; "Hermes" when unset') })
  .meta({ id: "Settings" });
export type Settings = z.infer<typeof SettingsSchema>;
export const PatchSettingsBody = z
  .strictObject({
    bot_name: z.string().max(200).nullable().optional().describe("null or blank: the default"),
  })
  .meta({ id: "PatchSettings" });
export type PatchSettingsBody = z.infer<typeof PatchSettingsBody>;

/** What every query of a list takes. */
export const page = {
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().min(1).max(512).optional(),
};
export const ListSessionsQuery = z.strictObject({
  ...page,
  q: z.string().max(200).optional(),
  profile: ProfileNameSchema.optional(),
  source: z.string().max(64).optional(),
  archived: z.enum(["true", "false"]).optional(),
});
export type ListSessionsQuery = z.infer<typeof ListSessionsQuery>;
export const SearchQuery = z.strictObject({
  ...page,
  q: z.string().trim().min(1).max(200),
  profile: ProfileNameSchema.optional(),
});
export type SearchQuery = z.infer<typeof SearchQuery>;
/**
 * A message in which all words of a query stand, or a title that holds the query as it was typed. `snippet` is plain text; `matches` are
 * [start, end) in its UTF-16 units.
 */
export const SearchHitSchema = z
  .strictObject({
    session: SessionSchema,
    message_id: z.string().nullable().describe("null: the title matched"),
    role: z.enum(["user", "assistant", "tool", "notice"]).nullable(),
    snippet: z.string(),
    matches: z.array(z.tuple([z.number().int(), z.number().int()])),
    created_at: z.number(),
  })
  .meta({ id: "SearchHit" });
export type SearchHit = z.infer<typeof SearchHitSchema>;
export const StoreInfoSchema = z
  .strictObject({
    profile: ProfileNameSchema,
    state: StoreStateSchema,
    newer: z
      .boolean()
      .describe("the file's schema number is above the newest one known here; it is read all the same"),
    version: z.number().int().nullable(),
    sessions: z.number().int().nonnegative(),
    indexed: z.boolean().describe("search covers everything the file holds"),
  })
  .meta({ id: "Store" });
export type StoreInfo = z.infer<typeof StoreInfoSchema>;
export const ListMessagesQuery = z.strictObject({ limit: page.limit, before: page.cursor });
export type ListMessagesQuery = z.infer<typeof ListMessagesQuery>;
export const ListRunsQuery = z.strictObject({
  ...page,
  session_id: IdSchema.optional(),
  status: RunStatusSchema.optional(),
  profile: ProfileNameSchema.optional(),
});
export type ListRunsQuery = z.infer<typeof ListRunsQuery>;

export const listOf = <T extends z.ZodType>(item: T) =>
  z.strictObject({ data: z.array(item), next_cursor: z.string().nullable() });
export const SessionAnswer = z.strictObject({ session: SessionSchema });
export const RunAnswer = z.strictObject({ run: RunSchema });
export const StartRunAnswer = z.strictObject({ run: RunSchema, events_url: z.string() });
export const SessionList = listOf(SessionSchema);
export const RunList = listOf(RunSchema);
export const MessagePage = z.strictObject({
  data: z.array(MessageSchema),
  next_cursor: z.string().nullable(),
  revision: z.number().int(),
  store: StoreStateSchema,
});
export type MessagePage = z.infer<typeof MessagePage>;
/** `ids` is a comma separated list; unknown ones are left out of the answer. */
export const HeadsQuery = z.strictObject({
  ids: z
    .string()
    .max(200 * 65)
    .transform((ids) => ids.split(",").filter((id) => id !== ""))
    .pipe(z.array(IdSchema).min(1).max(200))
    .meta({ override: { type: "string", description: "up to 200 session ids, separated by commas" } }),
});
export const HeadList = listOf(SessionHeadSchema.extend({ session_id: IdSchema }));
export const SearchAnswer = listOf(SearchHitSchema).extend({
  indexing: z.boolean().describe("older messages are still being indexed; the answer may be incomplete"),
});
export type SearchAnswer = z.infer<typeof SearchAnswer>;
export const StoreList = listOf(StoreInfoSchema);
export const LoginBody = z.strictObject({ password: z.string().min(1).max(1024) }).meta({ id: "Login" });
export const LoginAnswer = z.strictObject({ authenticated: z.literal(true) });
/** A call that takes no fields. */
export const EmptyBody = z.strictObject({});
/** `Idempotency-Key`: opaque, 1 to 255 visible ASCII characters. */
export const IdempotencyKeySchema = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, "expected 1 to 255 visible ASCII characters");

export const ErrorAnswer = z
  .strictObject({
    error: z.strictObject({ code: z.string(), message: z.string(), details: z.unknown().optional() }),
  })
  .meta({ id: "Error" });

/** A page of a list, as stores return it. */
export interface Page<T> {
  readonly data: readonly T[];
  readonly next_cursor: string | null;
}

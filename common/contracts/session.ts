import { z } from "zod";
import { IdSchema, ProfileNameSchema } from "./ids.ts";

/** What is known of the state.db behind an answer; anything but "ok" and "none" means that the sidecar answered alone. */
export const StoreStateSchema = z
  .enum(["ok", "none", "missing", "not_a_state_db", "corrupt", "locked", "unavailable"])
  .describe('"none": nothing of the session is in a state.db yet');
export type StoreState = z.infer<typeof StoreStateSchema>;

/** Characters of a session's `last_message.preview`. */
export const PREVIEW_CHARS = 160;

export const SessionSchema = z
  .strictObject({
    id: IdSchema,
    title: z.string().nullable(),
    title_source: z.enum(["provisional", "generated", "user"]).nullable(),
    profile: ProfileNameSchema,
    model: z.string().nullable(),
    workspace: z.string().nullable().describe("absolute folder of the tools; null: the profile's own"),
    source: z.string().describe('"talaria", or the program that created it'),
    created_at: z.number(),
    updated_at: z.number(),
    last_message_at: z.number().nullable(),
    message_count: z.number().int().nonnegative(),
    revision: z.number().int().nonnegative().describe("+1 for every visible change"),
    active_run_id: IdSchema.nullable(),
    pinned: z.boolean(),
    archived: z.boolean(),
    last_message: z
      .strictObject({ role: z.enum(["user", "assistant", "tool", "notice"]), preview: z.string() })
      .nullable()
      .describe("the beginning of the last message; null: none, or not read yet"),
    unread_count: z
      .number()
      .int()
      .nonnegative()
      .describe("messages since the session was last marked as read"),
    forked_from: IdSchema.nullable().describe("the session that this one was made from"),
  })
  .meta({ id: "Session" });
export type Session = z.infer<typeof SessionSchema>;

/** What a polling client needs, answered without reading a message. */
export const SessionHeadSchema = z
  .strictObject({
    message_count: z.number().int().nonnegative(),
    last_message_at: z.number().nullable(),
    revision: z.number().int().nonnegative(),
    active_run_id: IdSchema.nullable(),
    last_event_id: z.string().nullable().describe("null: no event yet, or the journal cannot be reached"),
    store: StoreStateSchema,
    stale: z.boolean().describe("the numbers are the last known ones and are being brought up to date"),
  })
  .meta({ id: "SessionHead" });
export type SessionHead = z.infer<typeof SessionHeadSchema>;

import { z } from "zod";
import { IdSchema, ProfileNameSchema } from "./ids.ts";

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
  })
  .meta({ id: "SessionHead" });
export type SessionHead = z.infer<typeof SessionHeadSchema>;

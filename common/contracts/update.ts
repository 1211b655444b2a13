import { z } from "zod";
import { ProfileNameSchema } from "./ids.ts";

/** Subjects that are told of a component; one more is looked for, to know whether there are more (background-jobs 3.1). */
export const MAX_SUBJECTS = 24;
export const MAX_UPDATE_BULLET_CHARS = 240;

/** A part of this installation for which there is something newer. Subjects are other people's words: text, never markup. */
export const UpdateTargetSchema = z
  .strictObject({
    name: z.string(),
    behind: z.number().int().positive().describe("commits that it lacks"),
    current: z.string(),
    latest: z.string(),
    compare_url: z.string().nullable().describe("where the difference is shown, if that is known"),
    subjects: z.array(z.string()).max(MAX_SUBJECTS).describe("of the newest commits that it lacks"),
    more: z.boolean().describe("there are further ones"),
  })
  .meta({ id: "UpdateTarget" });
export type UpdateTarget = z.infer<typeof UpdateTargetSchema>;

export const UpdatesAnswer = z.strictObject({
  checking: z.boolean().describe("whether this server can look for updates"),
  targets: z.array(UpdateTargetSchema),
});
export type UpdatesAnswer = z.infer<typeof UpdatesAnswer>;

const bullets = z.array(z.string().max(MAX_UPDATE_BULLET_CHARS));
export const UpdateSummarySchema = z
  .strictObject({
    id: z.string().describe("the idempotence key: profile and range (background-jobs B-31)"),
    profile: ProfileNameSchema,
    cache_key: z.string().describe("SHA-256 of what every component's range is"),
    state: z.enum(["queued", "running", "done", "failed"]),
    reason: z.string().nullable().describe("why it failed, or had to do without the model"),
    generated_by: z.enum(["llm", "fallback"]).nullable().describe("null until it is done"),
    cached: z.boolean().describe("it had been made before it was asked for"),
    notice: bullets.describe("what you'll notice"),
    worth: bullets.describe("worth knowing"),
    targets: z.array(UpdateTargetSchema),
    created_at: z.number(),
    ended_at: z.number().nullable(),
  })
  .meta({ id: "UpdateSummary" });
export type UpdateSummary = z.infer<typeof UpdateSummarySchema>;

export const MakeUpdateSummaryBody = z
  .strictObject({
    profile: ProfileNameSchema.default("default").describe("whose model tells it"),
  })
  .meta({ id: "MakeUpdateSummary" });
export const UpdateSummaryAnswer = z.strictObject({ summary: UpdateSummarySchema });

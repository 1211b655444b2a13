import { z } from "zod";
import { listOf } from "./http.ts";
import { IdSchema, ProfileNameSchema } from "./ids.ts";

/** A piece of background work on a session (background-jobs B-1). */
export const JobSchema = z
  .strictObject({
    id: z.string().describe("the idempotence key: kind, session and what it is about (B-3)"),
    kind: z.enum(["title"]),
    session_id: IdSchema,
    profile: ProfileNameSchema.describe("fixed when the job was made; it runs under no other (B-4)"),
    state: z.enum(["queued", "running", "done", "skipped", "failed", "cancelled"]),
    reason: z.string().nullable().describe("why it was skipped, failed, or had to do without the model"),
    attempt: z.number().int().nonnegative(),
    input_revision: z.number().int().describe("what it was worked out from"),
    created_at: z.number(),
    started_at: z.number().nullable(),
    ended_at: z.number().nullable(),
  })
  .meta({ id: "Job" });
export type Job = z.infer<typeof JobSchema>;
export type JobState = Job["state"];

export const JobAnswer = z.strictObject({ job: JobSchema });
export const JobList = listOf(JobSchema);

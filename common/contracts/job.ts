import { z } from "zod";
import { listOf } from "./http.ts";
import { IdSchema, ProfileNameSchema } from "./ids.ts";

/** How far a running job is (background-jobs B-22). */
export const JobProgressSchema = z.strictObject({
  stage: z.string().max(40).describe("what is being done, by the kind's own name"),
  done: z.number().int().nonnegative(),
  of: z.number().int().nonnegative().describe("parts of this stage; 0: it has none"),
});
export type JobProgress = z.infer<typeof JobProgressSchema>;

/** A piece of background work on a session (background-jobs B-1). */
export const JobSchema = z
  .strictObject({
    id: z.string().describe("the idempotence key: kind, session and what it is about (B-3)"),
    kind: z.enum(["title", "compression", "recap"]),
    session_id: IdSchema,
    profile: ProfileNameSchema.describe("fixed when the job was made; it runs under no other (B-4)"),
    state: z.enum(["queued", "running", "done", "skipped", "failed", "cancelled"]),
    reason: z.string().nullable().describe("why it was skipped, failed, or had to do without the model"),
    progress: JobProgressSchema.nullable().describe("while it runs, where its kind tells"),
    result: z.record(z.string(), z.unknown()).nullable().describe("what came of it, where its kind tells"),
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

import { z } from "zod";
import { listOf } from "./http.ts";
import { IdSchema, ProfileNameSchema } from "./ids.ts";

export const PROCESS_REASONS = [
  "exited",
  "killed",
  "time_limit",
  "worker_stopped",
  "worker_lost",
  "not_started",
] as const;
export type ProcessReason = (typeof PROCESS_REASONS)[number];

/** A command that a run left running in the background (background-jobs 4). */
export const ProcessSchema = z
  .strictObject({
    id: IdSchema,
    session_id: IdSchema.describe("its completion is delivered here and nowhere else (B-35)"),
    profile: ProfileNameSchema,
    run_id: IdSchema.describe("the run that started it"),
    command: z.string().describe("secrets masked; its beginning where it is long"),
    state: z.enum(["running", "ended"]),
    reason: z
      .enum(PROCESS_REASONS)
      .nullable()
      .describe("why it ended; worker_stopped, worker_lost: with the worker that ran it"),
    exit_code: z.number().int().nullable(),
    signal: z.string().nullable(),
    notify: z.boolean().describe("its end begins a turn of the session"),
    completion: z
      .enum(["none", "pending", "started", "told"])
      .describe(
        "what became of its end: none: nothing to tell; pending: waits for the session; started: a turn was begun (`wake_run_id`); told: shown in the transcript, to no model",
      ),
    wake_run_id: IdSchema.nullable(),
    kill_requested: z.boolean(),
    started_at: z.number(),
    ended_at: z.number().nullable(),
  })
  .meta({ id: "Process" });
export type Process = z.infer<typeof ProcessSchema>;

export const ProcessList = listOf(ProcessSchema);
export const ProcessAnswer = z.strictObject({
  process: ProcessSchema,
  output: z.string().describe("beginning and end of what it printed, as far as it was written down"),
});
export type ProcessAnswer = z.infer<typeof ProcessAnswer>;

import { z } from "zod";
import { IdSchema, ProfileNameSchema } from "./ids.ts";

export const RunStatusSchema = z.enum([
  "queued",
  "running",
  "waiting",
  "cancelling",
  "completed",
  "failed",
  "cancelled",
  "interrupted",
]);
export type RunStatus = z.infer<typeof RunStatusSchema>;

export const TERMINAL_STATUSES = ["completed", "failed", "cancelled", "interrupted"] as const;
export type TerminalStatus = (typeof TERMINAL_STATUSES)[number];
export const isTerminal = (status: RunStatus): status is TerminalStatus =>
  (TERMINAL_STATUSES as readonly string[]).includes(status);

/** Token counts of a run, added up over its model calls. */
export const UsageSchema = z.strictObject({
  input_tokens: z.number().int().nonnegative(),
  output_tokens: z.number().int().nonnegative(),
  reasoning_tokens: z.number().int().nonnegative(),
  cache_read_tokens: z.number().int().nonnegative(),
  duration_seconds: z.number().nonnegative(),
  context_length: z
    .number()
    .int()
    .optional()
    .describe("tokens of the model's window, as configured or assumed"),
  threshold_tokens: z
    .number()
    .int()
    .optional()
    .describe("from here on the context is compressed; absent: never"),
  last_prompt_tokens: z.number().int().optional().describe("of the last model call, as the provider counts"),
});
export type Usage = z.infer<typeof UsageSchema>;

/** What an `apperror` names (run-events 2.7). */
export const RunErrorCodeSchema = z.enum([
  "quota_exhausted",
  "credential_pool_empty",
  "rate_limit",
  "auth_mismatch",
  "gateway_auth_error",
  "model_not_found",
  "interrupted",
  "tool_limit_reached",
  "compression_exhausted",
  "no_response",
  "output_limit",
  "worker_crashed",
  "profile_unavailable",
  "provider_unavailable",
  "error",
]);
export type RunErrorCode = z.infer<typeof RunErrorCodeSchema>;

export const RunSchema = z
  .strictObject({
    id: IdSchema,
    session_id: IdSchema,
    profile: ProfileNameSchema,
    model: z.string().nullable().describe("null: the profile's default model"),
    status: RunStatusSchema,
    source: z
      .enum(["user", "process"])
      .describe("who began the turn; process: the system, because a background process ended (B-38)"),
    attempt: z.number().int().nonnegative().describe("how often a worker has claimed the run"),
    position: z.number().int().nonnegative().describe("place in the session's queue, 0 when first"),
    recovery: z.enum(["resume", "fail"]),
    created_at: z.number().describe("epoch seconds"),
    started_at: z.number().nullable(),
    ended_at: z.number().nullable(),
    error: z.strictObject({ code: RunErrorCodeSchema, message: z.string() }).nullable(),
    usage: UsageSchema.nullable(),
    config_revision: z
      .string()
      .nullable()
      .describe("the state of the profile's configuration it runs with; null: not known"),
    last_event_id: z.string().nullable().describe("cursor of the run's newest event on its own stream"),
  })
  .meta({ id: "Run" });
export type Run = z.infer<typeof RunSchema>;

import { z } from "zod";
import { listOf } from "./http.ts";
import { IdSchema } from "./ids.ts";

/** Compression of a session's model context (background-jobs 2). */
export const CompressBody = z
  .strictObject({
    focus: z
      .string()
      .trim()
      .max(500)
      .optional()
      .describe("a topic that the summary must keep above all; none when absent or empty"),
  })
  .meta({ id: "Compress" });

/** What a compression would do now. Estimated without a model call. */
export const CompressPreview = z
  .strictObject({
    messages: z.number().int().describe("that the model gets now"),
    summarised: z
      .number()
      .int()
      .describe("messages that the summary would stand for; 0: there is nothing to gain"),
    kept: z.number().int().describe("messages that stay as they are"),
    tokens_before: z.number().int(),
    tokens_after: z.number().int().describe("estimated; never less than what stays"),
    parts: z.number().int().describe("model calls that it would take"),
    context_length: z.number().int().describe("tokens of the model's window, as configured or assumed"),
    threshold_tokens: z.number().int().nullable().describe("from here on it happens by itself; null: never"),
  })
  .meta({ id: "CompressPreview" });
export type CompressPreview = z.infer<typeof CompressPreview>;

/** A version of a session's model context: one text stands for the messages in front of its border. */
export const ContextInfoSchema = z
  .strictObject({
    version: z.number().int(),
    made_by: z.enum(["person", "run"]),
    run_id: IdSchema.nullable(),
    focus: z.string().nullable(),
    covered_count: z.number().int().describe("messages that the summary stands for"),
    border_message_id: z.string().nullable().describe("the first message behind it in the transcript"),
    tokens_before: z.number().int(),
    tokens_after: z.number().int(),
    created_at: z.number(),
  })
  .meta({ id: "ContextVersion" });
export type ContextInfo = z.infer<typeof ContextInfoSchema>;
export const ContextList = listOf(ContextInfoSchema);
export const ContextAnswer = z.strictObject({
  context: ContextInfoSchema.extend({
    summary: z.string(),
    in_use: z
      .boolean()
      .describe("the model gets this one now; false: a newer one, or what it tells was taken back"),
  }),
});
export type ContextAnswer = z.infer<typeof ContextAnswer>;

/** A message that a summary stands for, as the model had it. */
export const CoveredMessageSchema = z.strictObject({
  message_id: z.string().nullable().describe("in the transcript; null: made for the model alone"),
  role: z.enum(["user", "assistant", "tool"]),
  content: z.string(),
});
export const CoveredList = listOf(CoveredMessageSchema);
export type CoveredList = z.infer<typeof CoveredList>;

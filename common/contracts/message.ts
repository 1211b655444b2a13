import { z } from "zod";
import { IdSchema } from "./ids.ts";

/** One call the model asked for. `arguments` is the JSON text as the model wrote it (state.db, OpenAI form). */
export const ToolCallSchema = z.strictObject({
  id: z.string(),
  type: z.literal("function"),
  function: z.strictObject({ name: z.string(), arguments: z.string() }),
});
export type ToolCall = z.infer<typeof ToolCallSchema>;

export const MessageStatusSchema = z.enum(["complete", "partial", "cancelled", "interrupted", "failed"]);
export type MessageStatus = z.infer<typeof MessageStatusSchema>;

export const MessageSchema = z
  .strictObject({
    id: z.string(),
    session_id: IdSchema,
    run_id: IdSchema.nullable(),
    role: z.enum(["user", "assistant", "tool", "notice"]).describe("notice: shown, never sent to a model"),
    content: z.string(),
    full_bytes: z
      .number()
      .int()
      .optional()
      .describe(
        "bytes of the whole text, where `content` is its beginning; read the message by itself for the rest",
      ),
    parts: z.array(z.record(z.string(), z.unknown())).optional(),
    reasoning: z.string().optional(),
    tool_calls: z.array(ToolCallSchema).optional(),
    tool_call_id: z.string().optional(),
    tool_name: z.string().optional(),
    is_error: z
      .boolean()
      .optional()
      .describe("tool messages: the call failed, was stopped or has an unknown outcome"),
    status: MessageStatusSchema,
    source: z
      .literal("process")
      .optional()
      .describe("a message that no person wrote: it stands for the end of a background process"),
    origin: z.string().describe('"talaria", or the source of the program that wrote it'),
    created_at: z.number().describe("epoch seconds"),
  })
  .meta({ id: "Message" });
export type Message = z.infer<typeof MessageSchema>;

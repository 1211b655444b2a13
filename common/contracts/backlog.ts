import { z } from "zod";
import { listOf } from "./http.ts";
import { ProfileNameSchema } from "./ids.ts";

/** Work that nobody has begun, and why; `alarm` where somebody should look. */
export const BacklogSchema = z
  .strictObject({
    queue: z.string(),
    profile: ProfileNameSchema,
    jobs: z.number().int().positive(),
    waited_s: z.number().nonnegative().describe("how long the oldest has waited, in seconds"),
    reason: z
      .enum(["no_worker", "busy", "stuck", "starting", "limit"])
      .describe(
        "no_worker: no live worker serves the queue; busy: all have as much as they may do; stuck: they have room and do not take it; starting: it came a moment ago; limit: kept back for the profile's limits",
      ),
    alarm: z.boolean(),
    message: z.string(),
  })
  .meta({ id: "Backlog" });
export type Backlog = z.infer<typeof BacklogSchema>;
export const BacklogList = listOf(BacklogSchema);

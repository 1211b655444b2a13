import { z } from "zod";
import { IdSchema } from "./ids.ts";

/** Whom it is for: who comes back to the conversation, or who takes it over. */
export const RecapKindSchema = z.enum(["recap", "handoff"]);
export type RecapKind = z.infer<typeof RecapKindSchema>;

/** Bullets of one recap, and characters of one bullet. */
export const MAX_RECAP_BULLETS = 5;
export const MAX_RECAP_BULLET_CHARS = 400;
/** Complete rounds since the last visit from which a recap is offered (background-jobs 3.2). */
export const OFFER_FROM_ROUNDS = 10;

/**
 * What a conversation was about up to one of its messages: a card that is shown behind that message. It is no message: it is not
 * counted, not searched, and no model is told of it (background-jobs B-33).
 */
export const RecapSchema = z
  .strictObject({
    session_id: IdSchema,
    kind: RecapKindSchema,
    after: z.string().describe("the message that it stands behind, the last one that it tells of"),
    bullets: z.array(z.string().max(MAX_RECAP_BULLET_CHARS)).min(1).max(MAX_RECAP_BULLETS),
    generated_by: z.enum(["model", "fallback"]),
    created_at: z.number(),
  })
  .meta({ id: "Recap" });
export type Recap = z.infer<typeof RecapSchema>;

export const MakeRecapBody = z
  .strictObject({ kind: RecapKindSchema.default("recap") })
  .meta({ id: "MakeRecap" });
export const RecapOfferQuery = z.strictObject({
  unread: z.coerce
    .number()
    .int()
    .nonnegative()
    .max(1_000_000_000)
    .optional()
    .describe("messages since the last visit; the session's own count when absent"),
});
export const RecapOfferAnswer = z.strictObject({
  rounds: z
    .number()
    .int()
    .nonnegative()
    .describe(`complete rounds among them; not counted further than ${OFFER_FROM_ROUNDS}`),
  offered: z.boolean(),
});

import { z } from "zod";
import { MASK } from "../base/mask.ts";
import { listOf } from "./http.ts";
import { ProfileNameSchema } from "./ids.ts";
import {
  bytesOf,
  isProviderAddress,
  KEY_NAME,
  MASK_SAVED,
  MAX_DISPLAY_NAME,
  MAX_KEY_VALUE,
  MAX_PROFILE_STEPS,
  MAX_RUN_LIMIT,
  MAX_SOUL_BYTES,
  ONE_LINE,
  PROVIDER_NAME,
} from "./profile-rules.ts";

/** Profiles on the wire. A value of a key goes in and never comes out (profiles P-25). */

const line = (max: number) =>
  z.string().trim().min(1).max(max).regex(ONE_LINE, "expected one line without control characters");

const displayName = line(MAX_DISPLAY_NAME);
export const KeyNameSchema = z.string().regex(KEY_NAME, "expected A-Z a-z 0-9 _, not starting with a digit");

const baseUrl = z
  .string()
  .max(2048)
  .refine(isProviderAddress, "expected an http(s) address without user and password")
  .refine((text) => !text.includes(MASK), MASK_SAVED);

export const ProfileModelSchema = z.strictObject({
  provider: z.string().describe('"demo" when none is configured'),
  model: z.string().describe('"": the provider\'s default'),
  base_url: z.string().nullable().describe("as the file has it, variables not filled in"),
});
export const KeyStateSchema = z.strictObject({ name: z.string(), set: z.boolean() }).meta({ id: "KeyState" });

const listed = {
  name: ProfileNameSchema,
  display_name: z.string(),
  visible: z.boolean().describe("false: only listed with `all=true`"),
  is_default: z.boolean(),
  state: z.enum(["ok", "unavailable"]).describe('"unavailable": its runs fail with `profile_unavailable`'),
  message: z.string().nullable().describe("what is wrong, by file; never a value"),
  model: ProfileModelSchema.nullable().describe("null: unavailable"),
  keys: z
    .array(KeyStateSchema)
    .describe("the variables of `.env` and the key that the provider wants; never a value"),
  bot_name: z.string().nullable(),
};
export const ProfileSummarySchema = z
  .strictObject({ ...listed, sessions: z.number().int().nonnegative() })
  .meta({ id: "ProfileSummary" });
export type ProfileSummary = z.infer<typeof ProfileSummarySchema>;

const LimitsSchema = z
  .strictObject({
    concurrent_runs: z.number().int().nullable(),
    runs_per_minute: z.number().int().nullable(),
  })
  .describe("of the profile's runs over all workers; null: none");
/** What a profile allows of its runs, over all workers; null: no limit. */
export type RunLimits = z.infer<typeof LimitsSchema>;

export const ProfileSchema = z
  .strictObject({
    ...listed,
    instructions: z.string().describe("SOUL.md, as much of it as reaches the model"),
    instructions_cut: z.boolean().describe("SOUL.md is longer: it is changed in the file only"),
    agent: z.strictObject({ max_steps: z.number().int().nullable() }),
    limits: LimitsSchema,
    config_revision: z.string().nullable().describe("changes with config.yaml, .env and SOUL.md"),
  })
  .meta({ id: "Profile" });
export type ProfileView = z.infer<typeof ProfileSchema>;

export const ListProfilesQuery = z.strictObject({
  all: z.enum(["true", "false"]).default("false").describe("true: those that are not visible, too"),
});
export const ProfileList = listOf(ProfileSummarySchema);
export const ProfileAnswer = z.strictObject({ profile: ProfileSchema });
export const KeyAnswer = z.strictObject({ key: KeyStateSchema });

export const CreateProfileBody = z
  .strictObject({
    name: ProfileNameSchema,
    clone_from: ProfileNameSchema.optional().describe("its config.yaml, .env and SOUL.md are copied"),
    display_name: displayName.optional(),
  })
  .meta({ id: "CreateProfile" });
export type CreateProfileBody = z.infer<typeof CreateProfileBody>;

const runLimit = z.int().min(1).max(MAX_RUN_LIMIT).nullable().optional();
export const SetKeyBody = z
  .strictObject({ name: KeyNameSchema, value: z.string().min(1).max(MAX_KEY_VALUE) })
  .meta({ id: "SetKey" });

export const PatchProfileBody = z
  .strictObject({
    display_name: displayName.nullable().optional().describe("null: the name"),
    visible: z.boolean().optional(),
    model: z
      .strictObject({
        provider: z.string().regex(PROVIDER_NAME, "expected the name of a provider").nullable().optional(),
        default: line(200).nullable().optional(),
        base_url: baseUrl.nullable().optional(),
      })
      .optional()
      .describe(
        "null takes a setting out; what is not named stays. A key belongs to the origin it was saved for: a change that would send it " +
          "to another one (loopback and ports count) takes it out of `.env`, and it is `set: false` in the answer",
      ),
    key: SetKeyBody.optional().describe("a variable that is set in the same edit: the key of a new address"),
    instructions: z
      .string()
      .max(MAX_SOUL_BYTES)
      .refine((text) => bytesOf(text) <= MAX_SOUL_BYTES, "expected at most 24 KiB")
      .refine((text) => !text.includes("\0"), "expected text")
      .nullable()
      .optional()
      .describe("SOUL.md; null or blank: none"),
    bot_name: line(200).nullable().optional(),
    agent: z
      .strictObject({ max_steps: z.int().min(1).max(MAX_PROFILE_STEPS).nullable().optional() })
      .optional(),
    limits: z.strictObject({ concurrent_runs: runLimit, runs_per_minute: runLimit }).optional(),
  })
  .meta({ id: "PatchProfile" });
export type PatchProfileBody = z.infer<typeof PatchProfileBody>;

export const ListModelsQuery = z.strictObject({ profile: ProfileNameSchema.default("default") });
export const ModelList = z
  .strictObject({
    profile: ProfileNameSchema,
    provider: z.string(),
    default: z.string().describe("the profile's own choice; \"\": the provider's"),
    data: z.array(z.strictObject({ id: z.string() })),
    fetched_at: z.number().describe("epoch seconds; an answer is kept for a minute"),
  })
  .meta({ id: "ModelList" });
export type ModelList = z.infer<typeof ModelList>;

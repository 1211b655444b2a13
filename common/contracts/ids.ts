import { z } from "zod";
import { PROFILE_NAME } from "./profile-rules.ts";

/** An opaque id without `:` `/` or white space (native-api; security-contract 7). */
export const IdSchema = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, "expected 1 to 64 of A-Z a-z 0-9 _ -");

/** A profile name; `default` is the home itself (profiles P-1). */
export const ProfileNameSchema = z
  .string()
  .regex(PROFILE_NAME, "expected a-z 0-9 _ -, starting with a letter or digit");

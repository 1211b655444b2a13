import { isBlockedName } from "../../common/profiles/env-file.ts";
import type { Profile } from "../../common/profiles/port.ts";

export type Vars = Readonly<Record<string, string>>;

/** What of a run its libraries and children may know. */
export interface RunIds {
  readonly id: string;
  readonly session_id: string;
}

/**
 * The variables that a run's profile gives to libraries and children. SDKs are told not to ask the machine for its identity
 * (P-24: no variable of ours names it, the cloud's metadata address does); a profile may say otherwise for itself.
 */
export const profileVars = (profile: Pick<Profile, "env">): Vars => ({
  ...NO_MACHINE_IDENTITY,
  ...allowedVars(profile.env),
});

export const NO_MACHINE_IDENTITY: Vars = {
  AWS_EC2_METADATA_DISABLED: "true",
  METADATA_SERVER_DETECTION: "none",
  NO_GCE_CHECK: "true",
};

/**
 * Who is running, by value (P-21). The `HERMES_` names are those that programs of the Hermes family ask for: a `hermes`
 * command in a run then works on the run's profile and not on the user's default one.
 */
export const runIdentity = (profile: Pick<Profile, "name" | "home">, run: RunIds): Vars => ({
  ...sessionIdentity(profile, run.session_id),
  TALARIA_RUN_ID: run.id,
});

/** The same for background work on a session. */
export const sessionIdentity = (profile: Pick<Profile, "name" | "home">, sessionId: string): Vars => ({
  ...profileIdentity(profile),
  TALARIA_SESSION_ID: sessionId,
  HERMES_SESSION_ID: sessionId,
});

/** The part of it that all runs of a profile have in common. */
export const profileIdentity = (profile: Pick<Profile, "name" | "home">): Vars => ({
  TALARIA_PROFILE: profile.name,
  HERMES_HOME: profile.home,
});

/** `vars` without names that would change a program instead of the agent (P-2), and what no environment can hold. */
export const allowedVars = (vars: Vars): Vars =>
  Object.fromEntries(
    Object.entries(vars).filter(
      ([name, value]) => NAME.test(name) && !isBlockedName(name.toUpperCase()) && !value.includes("\0"),
    ),
  );

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

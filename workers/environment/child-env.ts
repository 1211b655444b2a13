import { allowedVars, NO_MACHINE_IDENTITY, type Vars } from "./run-vars.ts";

/** Names taken from the worker's own environment: what a program needs to run at all, nothing that configures us. */
const FROM_BASE = /^(PATH|HOME|LANG|LC_[A-Z]+|TZ|TMPDIR|TERM|USER|SHELL)$/;

/**
 * The environment of a run's child processes: an allow-list of `base`, the profile's variables and who is running. It is
 * built and never inherited, so a key of the server or of another profile cannot be in it (security-contract 12, P-20), and
 * a profile cannot change which code a child loads (P-2).
 */
export const buildChildEnv = (
  base: Readonly<Record<string, string | undefined>>,
  profileVars: Vars,
  identity: Vars = {},
): Record<string, string> => ({ ...neutralVars(base), ...allowedVars(profileVars), ...identity });

/**
 * The environment of a tool server (MCP): the same allow-list of `base` and what its own entry in the configuration names.
 * Nothing of the profile's `.env` is in it unless the entry asks for it by a template: a server is somebody else's program and
 * gets the keys that it needs, not all there are (P-20). It serves many runs, so `identity` is the profile's. The entry may
 * set PATH and the like, which `.env` may not (P-2): it names the program itself.
 */
export const buildServerEnv = (
  base: Readonly<Record<string, string | undefined>>,
  entryVars: Vars,
  identity: Vars,
): Record<string, string> => ({ ...neutralVars(base), ...NO_MACHINE_IDENTITY, ...entryVars, ...identity });

const neutralVars = (base: Readonly<Record<string, string | undefined>>): Record<string, string> => {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(base))
    if (value !== undefined && FROM_BASE.test(name)) env[name] = value;
  return env;
};

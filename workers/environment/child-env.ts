import { isBlockedName } from "../../common/profiles/env-file.ts";

/** Names taken from the worker's own environment: what a program needs to run at all, nothing that configures us. */
const FROM_BASE = /^(PATH|HOME|LANG|LC_[A-Z]+|TZ|TMPDIR|TERM|USER|SHELL)$/;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * The environment of a run's child processes: an allow-list of `base` plus the profile's variables. It is built and never
 * inherited, so a key of the server or of another profile cannot be in it (security-contract 12), and a profile cannot
 * change which code a child loads (profiles P-2).
 */
export const buildChildEnv = (
  base: Readonly<Record<string, string | undefined>>,
  profileVars: Readonly<Record<string, string>>,
): Record<string, string> => {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(base))
    if (value !== undefined && FROM_BASE.test(name)) env[name] = value;
  for (const [name, value] of Object.entries(profileVars))
    if (NAME.test(name) && !isBlockedName(name.toUpperCase()) && !value.includes("\0")) env[name] = value;
  return env;
};

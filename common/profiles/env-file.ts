import { parseEnv } from "node:util";

/**
 * Names a profile's `.env` may not set: they would change the server's programs instead of the agent (P-2).
 * Our own settings are among them.
 */
const BLOCKED = new Set([
  "HOME",
  "PATH",
  "PWD",
  "OLDPWD",
  "SHELL",
  "SHLVL",
  "USER",
  "LOGNAME",
  "PYTHONPATH",
  "PYTHONHOME",
  "VIRTUAL_ENV",
  "BASH_ENV",
  "ENV",
  "IFS",
  "HOST",
  "PORT",
  "LOG_LEVEL",
  "REDIS_URL",
  "DATABASE_URL",
  "HERMES_HOME",
]);
const BLOCKED_FAMILIES = /^(NODE_|npm_|NPM_|LD_|DYLD_|XDG_|TALARIA_)/;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** True for a variable that stays the server's, whatever a profile says. */
export const isBlockedName = (name: string): boolean => BLOCKED.has(name) || BLOCKED_FAMILIES.test(name);

export interface EnvFile {
  readonly env: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
}

/** Parses the text of a `.env`: the file is data, nothing is expanded (P-3). Empty values and blocked names are left out. */
export const parseEnvFile = (text: string): EnvFile => {
  const env: Record<string, string> = {};
  const warnings = malformedLines(text);
  for (const [name, value] of Object.entries(parseEnv(text))) {
    if (value === undefined || value === "" || !NAME.test(name)) continue;
    if (isBlockedName(name)) warnings.push(`${name} belongs to the server and is ignored`);
    else env[name] = value;
  }
  return { env, warnings };
};

/** Lines without a name and "=". Lines inside a quoted value that spans several are not looked at. */
const malformedLines = (text: string): string[] => {
  const warnings: string[] = [];
  let quote: string | null = null;
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (quote !== null) {
      if (line.includes(quote)) quote = null;
      continue;
    }
    if (line === "" || line.startsWith("#")) continue;
    const parts = /^(?:export\s+)?([^=\s]+)\s*=\s*(.*)$/.exec(line);
    if (parts === null || !NAME.test(parts[1] ?? ""))
      warnings.push(`line ${index + 1} of .env is no NAME=value`);
    const value = parts?.[2] ?? "";
    const opening = /^["'`]/.exec(value)?.[0];
    if (opening !== undefined && !value.slice(1).includes(opening)) quote = opening;
  }
  return warnings;
};

/** True for a name under which keys, tokens and passwords are kept. */
export const isSecretName = (name: string): boolean => SECRET_NAME.test(name);

const SECRET_NAME =
  /(KEY|TOKEN|SECRET|PASS(WORD|WD|PHRASE)?|CREDENTIALS?|AUTH|COOKIE|PRIVATE|SESSION|DSN)(_|$|\d)/i;

/** Values that must not be shown: by the variable's name, by looking random, and passwords inside URLs (P-24, P-25). */
export const secretsOf = (env: Readonly<Record<string, string>>): readonly string[] => {
  const secrets = new Set<string>();
  for (const [name, value] of Object.entries(env)) {
    const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? URL.parse(value) : null;
    if (url !== null) {
      if (url.password !== "") secrets.add(decodePassword(url.password));
    } else if (isSecretName(name) || looksRandom(value)) secrets.add(value);
  }
  return [...secrets];
};

/** True for a value that looks like a key whatever its name is. */
export const looksRandom = (value: string): boolean =>
  /^[A-Za-z0-9_+=.~-]{20,}$/.test(value) && /\d/.test(value) && /[A-Za-z]/.test(value);

const decodePassword = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

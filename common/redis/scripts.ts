import { readFileSync } from "node:fs";
import type { Redis } from "ioredis";

/** Calls one of the scripts in `lua/`; each file's head tells keys, arguments and replies. */
export type ScriptRunner = (
  name: ScriptName,
  keys: readonly string[],
  args: readonly (string | number)[],
) => Promise<unknown>;

const SCRIPTS = {
  journalAppend: { file: "journalAppend-4.lua", keys: 4 },
  journalAnnounce: { file: "journalAnnounce-4.lua", keys: 4 },
  // Three keys and one for each run: the count goes with the call.
  journalRemove: { file: "journalRemove-3.lua", keys: null },
  journalMark: { file: "journalMark-1.lua", keys: 1 },
} as const;

export type ScriptName = keyof typeof SCRIPTS;

/**
 * Prepares the scripts on a connection. ioredis calls them by digest and sends the text when the server does not know it,
 * after a restart as well.
 */
export const loadScripts = (redis: Redis): ScriptRunner => {
  for (const [name, { file, keys }] of Object.entries(SCRIPTS)) {
    const lua = readFileSync(new URL(`./lua/${file}`, import.meta.url), "utf8");
    redis.defineCommand(name, keys === null ? { lua } : { lua, numberOfKeys: keys });
  }
  const commands = redis as unknown as Record<ScriptName, (...args: (string | number)[]) => Promise<unknown>>;
  return (name, keys, args) => {
    const count = SCRIPTS[name].keys === null ? [keys.length] : [];
    return commands[name](...count, ...keys, ...args);
  };
};

import { isCredential } from "./credentials.ts";

/** Variables by name, as process.env offers them. */
export interface EnvTable {
  get(name: string): string | undefined;
  names(): readonly string[];
  set(name: string, value: string): void;
  delete(name: string): void;
}

/** The process' own variables: `env` is the object that Node made, which asks the operating system each time. */
export const createBaseTable = (env: NodeJS.ProcessEnv): EnvTable => ({
  get: (name) => {
    const value: unknown = env[name];
    // An inherited method ("toString") is no variable.
    return typeof value === "string" ? value : undefined;
  },
  names: () => Object.keys(env),
  set: (name, value) => {
    env[name] = value;
  },
  delete: (name) => {
    delete env[name];
  },
});

/**
 * What one scope sees: `base` as it is now, without credentials (P-15), then `vars` and the scope's own changes. Nothing of
 * it is ever written to the base, so there is nothing to restore and no order in which scopes must end (P-14). It
 * keeps answering after its scope has left: what a run leaves behind must never fall through to the server's variables.
 */
export const createScopeTable = (base: EnvTable, vars: Readonly<Record<string, string>>): EnvTable => {
  /** null: deleted here. */
  const own = new Map<string, string | null>(Object.entries(vars));
  const inherited = (name: string): string | undefined => {
    const value = base.get(name);
    return value === undefined || isCredential(name, value) ? undefined : value;
  };
  return {
    get: (name) => {
      const value = own.get(name);
      return value === undefined ? inherited(name) : (value ?? undefined);
    },
    names: () => {
      const names = base.names().filter((name) => !own.has(name) && inherited(name) !== undefined);
      for (const [name, value] of own) if (value !== null) names.push(name);
      return names;
    },
    set: (name, value) => void own.set(name, value),
    delete: (name) => void own.set(name, null),
  };
};

import { AsyncLocalStorage } from "node:async_hooks";
import { syncBuiltinESMExports } from "node:module";
import { isProxy } from "node:util/types";
import { createEnvProxy } from "./env-proxy.ts";
import { createBaseTable, createScopeTable, type EnvTable } from "./env-table.ts";
import { createHoldTimes, type HoldStatistics } from "./hold-times.ts";
import { createNarrowLock, type NarrowLock } from "./narrow-lock.ts";
import type { Vars } from "./run-vars.ts";

export interface ProfileEnv {
  /** The process' variables as they were when this was installed. */
  readonly base: Vars;
  /**
   * Runs `work` so that process.env, as seen from it and everything it starts, is the process' own without credentials,
   * plus `vars`. Scopes may overlap, nest and end in any order; one never sees another's (P-12 to P-16). Read files
   * before: the lock is held only to enter and to leave, each time for microseconds (P-8).
   */
  withProfileEnv<T>(vars: Vars, work: () => Promise<T>): Promise<T>;
  statistics(): ProfileEnvStatistics;
  /** Puts Node's own process.env back; throws while a scope is open, because its code would then see the server's. */
  uninstall(): void;
}

export interface ProfileEnvStatistics extends HoldStatistics {
  readonly openScopes: number;
  /** Scopes since the start. */
  readonly scopes: number;
}

/** What scopes are made of; tests let parts of it fail. */
export interface ProfileEnvParts {
  readonly lock: NarrowLock;
  readonly overlay: Pick<AsyncLocalStorage<EnvTable>, "run" | "getStore">;
}

/**
 * Replaces process.env, once and for the process' life, by one that answers by context (profiles, section 5, way a). For the
 * worker process only, before it takes its first job. Out of its reach is who asks past JavaScript's process.env: native
 * code, worker threads without an `env` of their own, and modules that kept the object itself before this was installed.
 */
export const installProfileEnv = (parts?: Partial<ProfileEnvParts>): ProfileEnv => {
  const own = process.env;
  if (isProxy(own)) throw new Error("process.env has been replaced already");
  const times = createHoldTimes();
  const { lock = createNarrowLock(times.observe), overlay = new AsyncLocalStorage<EnvTable>() } = parts ?? {};
  const base = createBaseTable(own);
  const open = new Set<EnvTable>();
  let scopes = 0;

  const replace = (env: NodeJS.ProcessEnv): void => {
    process.env = env;
    // For `import { env } from "node:process"`.
    syncBuiltinESMExports();
  };
  const snapshot = { ...own } as Vars;
  replace(createEnvProxy(() => overlay.getStore() ?? base));

  return {
    base: snapshot,
    withProfileEnv: async (vars, work) => {
      const scope = createScopeTable(base, vars);
      try {
        lock.hold(() => {
          open.add(scope);
          scopes++;
        });
        return await overlay.run(scope, work);
      } finally {
        lock.hold(() => open.delete(scope));
      }
    },
    statistics: () => ({ openScopes: open.size, scopes, ...times.statistics() }),
    uninstall: () => {
      if (open.size > 0) throw new Error(`${open.size} scopes of profiles are still open`);
      replace(own);
    },
  };
};

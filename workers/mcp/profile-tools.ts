import { resolve } from "node:path";
import type { Logger } from "pino";
import { beforeAbort } from "../../common/base/bounded-wait.ts";
import { messageOf } from "../../common/base/errors.ts";
import { type ExpandedServer, expandServer } from "../../common/profiles/mcp-servers.ts";
import type { Profile } from "../../common/profiles/port.ts";
import type { Tool } from "../tools/tool.ts";
import { serverLabels } from "./names.ts";
import type { McpPool } from "./pool.ts";
import { serverTools } from "./tools.ts";

type Vars = Readonly<Record<string, string>>;

export interface ProfileToolsDeps {
  readonly pool: Pick<McpPool, "lease" | "keepOnly">;
  /** What templates are expanded from: what the profile's own commands see, but not who is running, and nothing else (P-23). */
  readonly templateVars: (profile: Profile) => Vars;
  /** The whole environment of a server with these variables in its entry (P-20). */
  readonly serverEnv: (profile: Profile, entryVars: Vars) => Vars;
}

/** What a run has of its profile's servers, until `release`. */
export interface ProfileTools {
  readonly tools: readonly Tool[];
  /** Servers and tools that are missing, for people: names and reasons, no value of the configuration. */
  readonly warnings: readonly string[];
  release(): void;
}

const NOTHING: ProfileTools = { tools: [], warnings: [], release: () => undefined };

/**
 * Starts the tool servers of a run's profile, all at once, each within its own time, and lists what they offer. The
 * configuration is the one that the run has read, so nobody asks for "the profile" (P-4, P-22). Never rejects: a server that
 * cannot be used costs the run its tools and a warning. Ends early when the run is stopped.
 */
export const createProfileTools =
  (deps: ProfileToolsDeps) =>
  async (
    profile: Profile,
    { signal, log }: { readonly signal: AbortSignal; readonly log: Logger },
  ): Promise<ProfileTools> => {
    const { servers, names, warnings } = profile.mcp;
    deps.pool.keepOnly(
      profile.home,
      servers.map((server) => server.name),
    );
    if (servers.length === 0 && warnings.length === 0) return NOTHING;
    const labels = serverLabels(names);
    const vars = deps.templateVars(profile);
    const opened = await Promise.all(
      servers.map((server) =>
        openServer(deps, profile, expandServer(server, vars), labels.get(server.name) ?? server.name, signal),
      ),
    );
    const all = [
      ...warnings.map((text) => `config.yaml: ${text}.`),
      ...opened.flatMap((one) => one.warnings),
    ];
    for (const warning of all) log.warn({ warning }, "tools of the profile are missing");
    return {
      tools: opened.flatMap((one) => one.tools),
      warnings: all,
      release: () => {
        for (const one of opened) one.release();
      },
    };
  };

const openServer = async (
  deps: ProfileToolsDeps,
  profile: Profile,
  { server, missing }: ExpandedServer,
  label: string,
  signal: AbortSignal,
): Promise<ProfileTools> => {
  const what = `The MCP server "${server.name}"`;
  const warnings =
    missing.length === 0
      ? []
      : [
          `${what} asks for variables that this profile does not have, so they are empty: ${missing.join(", ")}.`,
        ];
  const isProcess = server.kind === "stdio";
  const start = {
    server,
    cwd: isProcess ? resolve(profile.home, server.cwd ?? ".") : "",
    env: isProcess ? deps.serverEnv(profile, server.env) : {},
  };
  let release: () => void = () => undefined;
  try {
    const lease = await deps.pool.lease(profile.home, start, signal);
    release = lease.release;
    const listed = await beforeAbort(lease.connection.tools(), signal);
    const { tools, leftOut } = serverTools(server, label, listed, lease.connection);
    if (leftOut > 0)
      warnings.push(`${what} has ${leftOut} tools too many, or too large ones; they are left out.`);
    return { tools, warnings, release };
  } catch (error) {
    release();
    if (signal.aborted) return NOTHING;
    return {
      ...NOTHING,
      warnings: [...warnings, `${what} is not available to this run: ${messageOf(error)}.`],
    };
  }
};

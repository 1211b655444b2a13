import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { pino } from "pino";
import { resolveProfile } from "../../../common/profiles/resolve.ts";
import { buildChildEnv, buildServerEnv } from "../../../workers/environment/child-env.ts";
import { profileIdentity, profileVars } from "../../../workers/environment/run-vars.ts";
import { createMcpPool, type McpPool, type PoolOptions } from "../../../workers/mcp/pool.ts";
import { createProfileTools, type ProfileTools } from "../../../workers/mcp/profile-tools.ts";
import type { ToolResult } from "../../../workers/tools/tool.ts";
import { callTool } from "../tools/harness.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const NODE = join(ROOT, "node_modules/.bin/node");
const SERVER = fileURLToPath(new URL("./fixtures/stdio-server.ts", import.meta.url));

/** An entry of `mcp_servers` that starts the fixture. */
export const fixture = (
  label: string,
  behaviour = "",
  more: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> => ({ command: NODE, args: [SERVER, label, behaviour], ...more });

/** A template of a configuration. */
export const $ = (name: string): string => `\${${name}}`;

/** What stands in a config.yaml; JSON is YAML. */
export const section = (servers: Readonly<Record<string, unknown>>): string =>
  `mcp_servers: ${JSON.stringify(servers)}\n`;

/** A home with profiles, a pool, and what a worker makes of them. */
export interface McpHouse {
  readonly home: string;
  readonly pool: McpPool;
  homeOf(profile: string): string;
  write(profile: string, files: Readonly<Record<string, string>>): Promise<void>;
  /** The tools of a run of the profile as it is now. */
  open(profile?: string, signal?: AbortSignal): Promise<ProfileTools>;
  /** Lines of a file, [] without it. */
  lines(file: string): Promise<readonly string[]>;
  /** Everything that was logged. */
  logged(): string;
}

export const withMcp = async (
  work: (house: McpHouse) => Promise<void>,
  options: Partial<PoolOptions> & { readonly base?: Readonly<Record<string, string>> } = {},
): Promise<void> => {
  const home = await mkdtemp(join(tmpdir(), "talaria-mcp-"));
  const pool = createMcpPool(options);
  const base = { PATH: process.env.PATH ?? "/usr/bin:/bin", ...options.base };
  let logged = "";
  const write = (line: string): void => {
    logged += line;
  };
  const log = pino({ level: "debug" }, { write });
  const openTools = createProfileTools({
    pool,
    templateVars: (profile) => buildChildEnv(base, profileVars(profile)),
    serverEnv: (profile, vars) => buildServerEnv(base, vars, profileIdentity(profile)),
  });
  const homeOf = (name: string): string => (name === "default" ? home : join(home, "profiles", name));
  try {
    await work({
      home,
      pool,
      homeOf,
      write: async (name, files) => {
        for (const [file, text] of Object.entries(files)) {
          const path = join(homeOf(name), file);
          await mkdir(dirname(path), { recursive: true });
          await writeFile(path, text);
        }
      },
      open: async (name = "default", signal = new AbortController().signal) =>
        openTools(await resolveProfile(home, name), { signal, log }),
      lines: async (file) =>
        (await readFile(file, "utf8").catch(() => "")).split("\n").filter((line) => line !== ""),
      logged: () => logged,
    });
  } finally {
    await pool.close();
    await rm(home, { recursive: true, force: true });
  }
};

export const call = (
  { tools }: ProfileTools,
  name: string,
  args: unknown = {},
  signal?: AbortSignal,
): Promise<ToolResult> =>
  callTool(tools, name, args, { workspace: "/", ...(signal === undefined ? {} : { signal }) });

export interface Who {
  readonly label: string;
  readonly pid: number;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

export const who = async (tools: ProfileTools, name: string): Promise<Who> =>
  JSON.parse((await call(tools, name)).content) as Who;

import { z } from "zod";
import { isRecord } from "../base/record.ts";
import { oneLine } from "../base/text.ts";
import { isSecretName, looksRandom, secretsOf } from "./env-file.ts";
import { expandTemplate } from "./template.ts";

/** A tool server of a profile (MCP), in the layout of a Hermes home. Templates in it are not expanded yet (P-23). */
export type McpServer = McpProcess | McpEndpoint;

interface McpCommon {
  readonly name: string;
  /** Longest time of one call, and of becoming ready, in milliseconds. */
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  /** Whether the server's word counts that a tool may be run twice; otherwise no call in doubt is repeated. */
  readonly trustHints: boolean;
  /** Which of its tools are offered, by the server's own names; null: no restriction. */
  readonly include: readonly string[] | null;
  readonly exclude: readonly string[];
}

/** A process that speaks over its standard input and output. */
export interface McpProcess extends McpCommon {
  readonly kind: "stdio";
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Relative to the profile's folder; null: that folder. */
  readonly cwd: string | null;
}

/** A server of somebody else, over streamable HTTP. */
export interface McpEndpoint extends McpCommon {
  readonly kind: "http";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The section `mcp_servers` as far as it can be used. */
export interface McpSection {
  /** Those that are switched on and understood. */
  readonly servers: readonly McpServer[];
  /** All names in the section, so that what is made of them does not depend on which ones can be used. */
  readonly names: readonly string[];
  /** What was left out: the server and the field, never a value (P-25). */
  readonly warnings: readonly string[];
}

export const NO_MCP_SERVERS: McpSection = { servers: [], names: [], warnings: [] };

const MAX_SERVERS = 32;
const MAX_NAME_CHARS = 64;
const MAX_TIMEOUT_S = 600;
const MAX_CONNECT_TIMEOUT_S = 120;
const DEFAULT_TIMEOUT_S = 120;
const DEFAULT_CONNECT_TIMEOUT_S = 10;

/** Reads the section; what cannot be understood is left out with a warning and stops nobody. */
export const parseMcpServers = (section: unknown): McpSection => {
  if (section === null || section === undefined) return NO_MCP_SERVERS;
  if (!isRecord(section))
    return { ...NO_MCP_SERVERS, warnings: ["mcp_servers is no map of servers and is ignored"] };
  const servers: McpServer[] = [];
  const warnings: string[] = [];
  const entries = Object.entries(section);
  if (entries.length > MAX_SERVERS)
    warnings.push(`mcp_servers has more than ${MAX_SERVERS} servers; the others are left out`);
  const used = entries.slice(0, MAX_SERVERS);
  for (const [name, entry] of used) {
    const parsed = parseEntry(name, entry);
    if (parsed.kind === "fault")
      warnings.push(`mcp_servers.${shown(name)}: ${parsed.fault}; the server is left out`);
    else if (parsed.kind === "server") servers.push(parsed.server);
  }
  return { servers, names: used.map(([name]) => name), warnings };
};

type ParsedEntry =
  | { readonly kind: "server"; readonly server: McpServer }
  | { readonly kind: "off" }
  | { readonly kind: "fault"; readonly fault: string };

const parseEntry = (name: string, entry: unknown): ParsedEntry => {
  const fault = (text: string): ParsedEntry => ({ kind: "fault", fault: text });
  if (name === "" || name.length > MAX_NAME_CHARS || shown(name) !== name)
    return fault(`its name is empty, longer than ${MAX_NAME_CHARS} characters or no plain text`);
  const { enabled } = SwitchSchema.catch({ enabled: true }).parse(entry);
  if (!enabled) return { kind: "off" };
  const parsed = EntrySchema.safeParse(entry);
  if (!parsed.success) {
    const fields = parsed.error.issues.map((issue) => shown(issue.path.join(".")) || "the entry");
    return fault(`${[...new Set(fields)].slice(0, 5).join(", ")} cannot be understood`);
  }
  const { command, args, env, cwd, url, headers, transport, auth, tools, ...rest } = parsed.data;
  const common: McpCommon = {
    name,
    timeoutMs: rest.timeout * 1000,
    connectTimeoutMs: rest.connect_timeout * 1000,
    trustHints: rest.trust_hints,
    include: tools?.include ?? null,
    exclude: tools?.exclude ?? [],
  };
  if (command !== null && url !== null) return fault("it has both command and url");
  if (command !== null)
    return { kind: "server", server: { ...common, kind: "stdio", command, args, env, cwd } };
  if (url === null) return fault("command or url is missing");
  if (!TRANSPORTS.has(transport ?? "http"))
    return fault("transport is not supported, only streamable HTTP is");
  if (auth !== null) return fault("auth is not supported; name a key in headers");
  return { kind: "server", server: { ...common, kind: "http", url, headers } };
};

const TRANSPORTS: ReadonlySet<string> = new Set(["http", "streamable-http", "streamable_http"]);

const scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const word = scalar
  .refine((text) => !text.includes("\0"))
  .nullish()
  .transform((text) => (text === undefined || text === null || text.trim() === "" ? null : text));
const value = z
  .union([scalar, z.null().transform(() => "")])
  .refine((text) => text.length <= 64 * 1024 && !text.includes("\0"));
const flag = (otherwise: boolean) =>
  z
    .union([z.boolean(), z.enum(["true", "yes", "on"]), z.enum(["false", "no", "off"])])
    .nullish()
    .transform((given) => (given === undefined || given === null ? otherwise : IS_ON.has(given)));
const IS_ON: ReadonlySet<boolean | string> = new Set([true, "true", "yes", "on"]);
const seconds = (otherwise: number, most: number) =>
  z
    .number()
    .positive()
    .nullish()
    .transform((given) => Math.min(given ?? otherwise, most));
const map = (name: RegExp) =>
  z
    .record(z.string().regex(name), value)
    .nullish()
    .transform((given) => given ?? {});
const names = z.array(z.string()).max(1000).nullish();

const SwitchSchema = z.object({ enabled: flag(true) });

/** The file belongs to others as well, so fields that are not known pass by. */
const EntrySchema = z.object({
  command: word,
  args: z
    .array(value)
    .max(256)
    .nullish()
    .transform((given) => given ?? []),
  env: map(/^[A-Za-z_][A-Za-z0-9_]*$/),
  cwd: word,
  url: word,
  headers: map(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/),
  transport: word,
  auth: word,
  enabled: flag(true),
  timeout: seconds(DEFAULT_TIMEOUT_S, MAX_TIMEOUT_S),
  connect_timeout: seconds(DEFAULT_CONNECT_TIMEOUT_S, MAX_CONNECT_TIMEOUT_S),
  trust_hints: flag(false),
  tools: z.object({ include: names, exclude: names }).nullish(),
});

/** A name of the file, fit for a line of text. */
const shown = (name: string): string => oneLine(name).slice(0, 100).toWellFormed();

export interface ExpandedServer {
  readonly server: McpServer;
  /** Variables that it asks for and that are not there, by name: they are empty (P-23). */
  readonly missing: readonly string[];
}

/** The server with every `${NAME}` replaced from `vars`, and from nothing else. */
export const expandServer = (server: McpServer, vars: Readonly<Record<string, string>>): ExpandedServer => {
  const missing = new Set<string>();
  const text = (template: string): string => expandTemplate(template, vars, (name) => missing.add(name));
  const values = (map: Readonly<Record<string, string>>): Record<string, string> =>
    Object.fromEntries(Object.entries(map).map(([name, template]) => [name, text(template)]));
  const expanded: McpServer =
    server.kind === "http"
      ? { ...server, url: text(server.url), headers: values(server.headers) }
      : {
          ...server,
          command: text(server.command),
          args: server.args.map(text),
          env: values(server.env),
          cwd: server.cwd === null ? null : text(server.cwd),
        };
  return { server: expanded, missing: [...missing] };
};

/** In headers, queries and options people write `api-key` as often as `api_key`. */
const isSecretLabel = (label: string): boolean => isSecretName(label.replaceAll("-", "_"));

/** Keys that stand in the section itself and must be shown nowhere (P-25); those of `.env` are known already. */
export const mcpSecrets = ({ servers }: McpSection): readonly string[] =>
  servers
    .flatMap((server) =>
      server.kind === "http"
        ? [...Object.entries(server.headers).flatMap(headerSecrets), ...urlSecrets(server.url)]
        : [...secretsOf(server.env), ...argSecrets(server.args)],
    )
    .filter((text) => !/^\$\{\w+\}$/.test(text));

/** `Bearer abc`: the key alone may appear, too. */
const headerSecrets = ([name, text]: readonly [string, string]): readonly string[] => {
  const last = text.trim().split(/\s+/).at(-1) ?? "";
  const secret = /^(proxy-)?authorization$/i.test(name) || isSecretLabel(name);
  return secret || looksRandom(last) ? [text, last] : [];
};

/** A password, and keys in the query. */
const urlSecrets = (address: string): readonly string[] => {
  const query = [...(URL.parse(address)?.searchParams ?? [])];
  const keys = query.filter(([name, given]) => isSecretLabel(name) || looksRandom(given));
  return [...secretsOf({ URL: address }), ...keys.map(([, given]) => given)];
};

/** `--token=abc`, `--token abc`, addresses with a password, and what looks like a key. */
const argSecrets = (args: readonly string[]): readonly string[] =>
  args.flatMap((arg, index) => {
    const [, option = "", given] = /^--?([A-Za-z][\w-]*)(?:=(.*))?$/s.exec(arg) ?? [];
    const secret = isSecretLabel(option);
    const next = secret && given === undefined ? args[index + 1] : undefined;
    return [
      ...secretsOf({ ARGUMENT: given ?? arg }),
      ...(secret && given !== undefined ? [given] : []),
      ...(next === undefined ? [] : [next]),
    ];
  });

import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { parse as parseYaml } from "yaml";
import type { z } from "zod";
import { type ErrorDetail, messageOf, TalariaError } from "../base/errors.ts";
import { isRecord } from "../base/record.ts";
import type { Config } from "./schema.ts";
import { SETTINGS, type Setting, type SettingField } from "./settings.ts";
import { readTracing } from "./tracing.ts";

type Environment = Readonly<Record<string, string | undefined>>;
type Values = { readonly [F in SettingField]: z.output<(typeof SETTINGS)[F]["schema"]> | null };

export interface LoadOptions {
  /** Command line after the script's name; only the worker has flags (`--queues a,b --profiles a,b --concurrency N`). */
  readonly argv?: readonly string[];
  /** Stands in for a `REDIS_URL` that is nowhere configured: whoever starts a private server asks so first. */
  readonly fallbackRedisUrl?: string;
}

/**
 * Environment, `talaria:` section of `<home>/config.yaml` and flags -> one frozen Config. Flags win over the environment,
 * the environment over the file; a blank value counts as unset. Throws `config_invalid` with every fault at once: one line
 * each in the message, and `{path, message}` in the details. Secrets are never shown.
 */
export const loadConfig = (env: Environment, options: LoadOptions = {}): Config => {
  const faults = new Faults();
  const flags = readFlags(options.argv ?? [], faults);
  const home = homeOf(env);
  const file = readSection(home, faults);
  const value = <F extends SettingField>(field: F): Values[F] => {
    const setting: Setting = SETTINGS[field];
    const given = [flags.get(field), env[setting.name], file.get(field)].find(
      (text) => (text ?? "").trim() !== "",
    );
    const text = given ?? (field === "redisUrl" ? options.fallbackRedisUrl : null) ?? setting.default;
    if (text === null) return null;
    const parsed = setting.schema.safeParse(text);
    if (parsed.success) return parsed.data as Values[F];
    faults.add(setting.name, shown(setting, text), `expected ${setting.expected}`);
    return null;
  };
  const values = Object.fromEntries(
    (Object.keys(SETTINGS) as SettingField[]).map((field) => [field, value(field)]),
  ) as unknown as Values;

  if (values.redisUrl === null && !faults.has(SETTINGS.redisUrl.name))
    faults.add(SETTINGS.redisUrl.name, "not set", `expected ${SETTINGS.redisUrl.expected}`);
  if (values.host !== null && !isLoopback(values.host) && values.password === null && values.token === null)
    faults.add(
      SETTINGS.host.name,
      JSON.stringify(values.host),
      "is not loopback: expected TALARIA_PASSWORD or TALARIA_TOKEN to be set as well",
    );
  faults.throwIfAny();
  return freeze(toConfig(home, values as Required<Values>));
};

/** The home a process with this environment uses: absolute, `~/.talaria` by default. */
export const homeOf = (env: Environment): string => {
  const given = (env[SETTINGS.home.name] ?? "").trim() || SETTINGS.home.default;
  return given === "~" || given.startsWith("~/") ? join(homedir(), given.slice(1)) : resolve(given);
};

/** True for an address or name that only this machine reaches. */
export const isLoopback = (host: string): boolean =>
  /^(localhost|::1|\[::1\]|127(\.\d{1,3}){3})$/i.test(host);

class Faults {
  private readonly found: ErrorDetail[] = [];

  add(name: string, value: string, problem: string): void {
    this.found.push({ path: name, message: `${value}: ${problem}` });
  }

  has(name: string): boolean {
    return this.found.some((fault) => fault.path === name);
  }

  throwIfAny(): void {
    if (this.found.length === 0) return;
    const lines = this.found.map(({ path, message }) => `${path} = ${message}`);
    throw new TalariaError("config_invalid", lines.join("\n"), { details: this.found });
  }
}

const shown = (setting: Setting, text: string): string =>
  setting.secret ? "(hidden)" : JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);

const readFlags = (argv: readonly string[], faults: Faults): ReadonlyMap<SettingField, string> => {
  const flags = new Map<SettingField, string>();
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: { queues: { type: "string" }, profiles: { type: "string" }, concurrency: { type: "string" } },
      strict: true,
    });
    if (values.queues !== undefined) flags.set("queues", values.queues);
    if (values.profiles !== undefined) flags.set("profiles", values.profiles);
    if (values.concurrency !== undefined) flags.set("concurrency", values.concurrency);
  } catch (error) {
    faults.add("command line", JSON.stringify(argv.join(" ")), messageOf(error).split("\n", 1)[0] ?? "");
  }
  return flags;
};

/** The `talaria:` section as texts by field. No file or no section is fine; anything unknown in it is a fault. */
const readSection = (home: string, faults: Faults): ReadonlyMap<SettingField, string> => {
  const path = join(home, "config.yaml");
  const texts = new Map<SettingField, string>();
  const section = sectionOf(path, faults);
  if (section === null) return texts;
  const fields = new Map<string, SettingField>();
  for (const [field, setting] of Object.entries(SETTINGS) as [SettingField, Setting][])
    if (setting.yaml !== null) fields.set(setting.yaml, field);
  for (const [key, value] of Object.entries(section)) {
    const field = fields.get(key);
    const text = textOf(value);
    if (field === undefined)
      faults.add(`talaria.${key}`, "unknown", `expected one of ${[...fields.keys()].join(", ")}`);
    else if (text === null)
      faults.add(`talaria.${key}`, "not a plain value", `expected ${SETTINGS[field].expected}`);
    else texts.set(field, text);
  }
  return texts;
};

const sectionOf = (path: string, faults: Faults): Record<string, unknown> | null => {
  let document: unknown;
  try {
    document = parseYaml(readFileSync(path, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    // Only the first line: the rest of a YAML error quotes the file, secrets included.
    faults.add(path, "cannot be read", messageOf(error).split("\n", 1)[0] ?? "");
    return null;
  }
  const section = isRecord(document) ? document.talaria : undefined;
  if (section === undefined || section === null) return null;
  if (isRecord(section)) return section;
  faults.add("talaria", "not a map", `expected names and values in ${path}`);
  return null;
};

const textOf = (value: unknown): string | null => {
  if (value === null) return "";
  if (["string", "number", "boolean"].includes(typeof value)) return String(value);
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value.join(",");
  return null;
};

type Complete = { readonly [F in SettingField]: NonNullable<Values[F]> } & {
  readonly password: string | null;
  readonly token: string | null;
};

const toConfig = (home: string, given: Values): Config => {
  const v = given as Complete;
  return {
    home,
    stateDir: join(home, "talaria"),
    http: {
      host: v.host,
      port: v.port,
      allowedHosts: v.allowedHosts,
      trustedProxies: v.trustedProxies,
      maxStreams: v.maxStreams,
      maxConnections: v.maxConnections,
      dashboard: v.dashboard === "on",
    },
    auth: { password: given.password, token: given.token },
    redis: { url: v.redisUrl, prefix: v.prefix },
    log: { level: v.logLevel },
    worker: {
      queues: [...new Set(v.queues)],
      profiles: given.profiles === null ? null : [...new Set(given.profiles)],
      concurrency: v.concurrency,
      jobConcurrency: v.jobConcurrency,
      drainMs: v.drainMs,
      lockMs: v.lockMs,
      stalledCheckMs: v.stalledCheckMs,
      stallMs: v.stallMs,
    },
    tracing: readTracing({
      exporter: given.tracesExporter,
      endpoint: given.otlpTracesEndpoint ?? given.otlpEndpoint,
      disabled: v.otelDisabled,
      sampler: v.tracesSampler,
      samplerArg: v.tracesSamplerArg,
    }),
    runs: {
      maxAttempts: v.maxAttempts,
      maxSteps: v.maxSteps,
      cancelGraceMs: v.cancelGraceMs,
      maxJournalBytes: v.maxJournalBytes,
      completionMaxAgeH: v.completionMaxAgeH,
    },
    journal: {
      retentionMs: v.retentionMs,
      flushMs: v.flushMs,
      heartbeatMs: v.heartbeatMs,
      slowReaderMs: v.slowReaderMs,
    },
  };
};

const freeze = <T extends object>(value: T): T => {
  for (const part of Object.values(value)) if (typeof part === "object" && part !== null) freeze(part);
  return Object.freeze(value);
};

import { z } from "zod";
import { SAMPLERS } from "./tracing.ts";
import { isOriginPath, isProxy, isRedisUrl, list, range, text, whole } from "./values.ts";

/** One setting of a process: the README's configuration table is this list (a test compares them). */
export interface Setting {
  /** Environment variable. */
  readonly name: string;
  /** Key in the `talaria:` section of `<home>/config.yaml`; null: environment only. */
  readonly yaml: string | null;
  /** Text as it would be given; null: no default. */
  readonly default: string | null;
  /** One sentence for people. */
  readonly meaning: string;
  /** What a right value looks like, for the error line. */
  readonly expected: string;
  /** Never shown, not even in an error. */
  readonly secret?: true;
  /** Refuses a wrong text. */
  readonly schema: z.ZodType<unknown, string>;
}

/** Setting names by field, so that `load.ts` reads values by name and the compiler knows their types. */
export type SettingField = keyof typeof SETTINGS;

const LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;
const HOUR_MS = 3_600_000;
const MIB = 1_048_576;

/** Every setting. Durations in milliseconds, sizes in bytes. */
export const SETTINGS = {
  home: {
    name: "TALARIA_HOME",
    yaml: null,
    default: "~/.talaria",
    meaning:
      "Folder of config.yaml, .env, state.db and profiles; our own files are in its subfolder `talaria`.",
    expected: "a folder",
    schema: text,
  },
  host: {
    name: "HOST",
    yaml: "host",
    default: "127.0.0.1",
    meaning: "Address the api listens on; another than loopback needs a password or a token.",
    expected: "an address or host name",
    schema: text.regex(/^[A-Za-z0-9.:%_-]+$/),
  },
  port: {
    name: "PORT",
    yaml: "port",
    default: "8787",
    meaning: "Port the api listens on; 0 takes any free one.",
    expected: "a port, 0 to 65535",
    schema: whole(0, 65_535),
  },
  redisUrl: {
    name: "REDIS_URL",
    yaml: "redis_url",
    default: null,
    meaning:
      "Redis server (redis://, rediss:// or a socket path); `npm start` runs a private one when unset.",
    expected: "redis://[user:password@]host[:port][/db], rediss://… or the path of a socket",
    secret: true,
    schema: text.refine(isRedisUrl),
  },
  logLevel: {
    name: "LOG_LEVEL",
    yaml: "log_level",
    default: "info",
    meaning: "Least level that is logged.",
    expected: `one of ${LEVELS.join(", ")}`,
    schema: z.string().trim().toLowerCase().pipe(z.enum(LEVELS)),
  },
  password: {
    name: "TALARIA_PASSWORD",
    yaml: "password",
    default: null,
    meaning: "Password of the login page.",
    expected: "1 to 1024 characters",
    secret: true,
    schema: z.string().min(1).max(1024),
  },
  token: {
    name: "TALARIA_TOKEN",
    yaml: "token",
    default: null,
    meaning: "Bearer token for scripts and integrations.",
    expected: "1 to 1024 visible characters without blanks",
    secret: true,
    schema: z.string().regex(/^[\x21-\x7e]{1,1024}$/),
  },
  allowedHosts: {
    name: "TALARIA_ALLOWED_HOSTS",
    yaml: "allowed_hosts",
    default: "",
    meaning: "Further Host names that are answered, separated by commas.",
    expected: "host names, each with or without a port, separated by commas",
    schema: list(
      z
        .string()
        .toLowerCase()
        .regex(/^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/),
    ),
  },
  trustedProxies: {
    name: "TALARIA_TRUSTED_PROXIES",
    yaml: "trusted_proxies",
    default: "",
    meaning: "Proxies whose X-Forwarded-* headers count, separated by commas.",
    expected: "addresses or networks (10.0.0.0/8), separated by commas",
    schema: list(z.string().refine(isProxy)),
  },
  dashboard: {
    name: "TALARIA_DASHBOARD",
    yaml: "dashboard",
    default: "off",
    meaning: "`on` shows the queues at `/ops/queues`, to look at only.",
    expected: "on or off",
    schema: z
      .string()
      .trim()
      .toLowerCase()
      .pipe(z.enum(["on", "off"])),
  },
  updateSource: {
    name: "TALARIA_UPDATE_SOURCE",
    yaml: "update_source",
    default: null,
    meaning: "Git clone whose updates are told (the one that the program runs from when unset), or `off`.",
    expected: '"off" or an absolute path',
    schema: text.regex(/^(off|\/.*)$/),
  },
  prefix: {
    name: "TALARIA_PREFIX",
    yaml: "prefix",
    default: "talaria",
    meaning: "Key prefix in Redis; separates deployments that share a server.",
    expected: "1 to 64 of A-Z a-z 0-9 _ . -",
    schema: text.regex(/^[A-Za-z0-9_.-]{1,64}$/),
  },
  queues: {
    name: "TALARIA_QUEUES",
    yaml: "queues",
    default: "runs,titles,compression,summaries,deliveries,maintenance",
    meaning: "Kinds of jobs a worker does, separated by commas (flag `--queues`).",
    expected: "queue names, separated by commas",
    schema: list(z.string().regex(/^[a-z][a-z0-9-]{0,31}$/)).refine((names) => names.length > 0),
  },
  profiles: {
    name: "TALARIA_PROFILES",
    yaml: "profiles",
    default: null,
    meaning: "Profiles a worker works for, separated by commas; all when unset (flag `--profiles`).",
    expected: "names of profiles, separated by commas",
    schema: list(z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/)).refine((names) => names.length > 0),
  },
  concurrency: {
    name: "TALARIA_CONCURRENCY",
    yaml: "concurrency",
    default: "400",
    meaning: "Runs one worker executes at the same time (flag `--concurrency`).",
    expected: range(1, 10_000, "runs"),
    schema: whole(1, 10_000),
  },
  jobConcurrency: {
    name: "TALARIA_JOB_CONCURRENCY",
    yaml: "job_concurrency",
    default: "8",
    meaning: "Pieces of background work of each kind that one worker does at the same time.",
    expected: range(1, 1_000, "jobs"),
    schema: whole(1, 1_000),
  },
  drainMs: {
    name: "TALARIA_DRAIN_MS",
    yaml: "drain_ms",
    default: "8000",
    meaning: "How long running runs may go on after a stop signal before they are handed back.",
    expected: range(0, HOUR_MS, "milliseconds"),
    schema: whole(0, HOUR_MS),
  },
  lockMs: {
    name: "TALARIA_LOCK_MS",
    yaml: "lock_ms",
    default: "4000",
    meaning: "Lease of a worker on a run; a dead worker's run is taken over after about this time.",
    expected: range(1000, 600_000, "milliseconds"),
    schema: whole(1000, 600_000),
  },
  stalledCheckMs: {
    name: "TALARIA_STALLED_CHECK_MS",
    yaml: "stalled_check_ms",
    default: "1000",
    meaning: "How often workers look for runs whose lease ran out.",
    expected: range(100, 600_000, "milliseconds"),
    schema: whole(100, 600_000),
  },
  stallMs: {
    name: "TALARIA_STALL_MS",
    yaml: "stall_ms",
    default: "10000",
    meaning:
      "A worker that takes no jobs for this long, though it should, restarts its connections; after about four times as long it ends.",
    expected: range(1000, 600_000, "milliseconds"),
    schema: whole(1000, 600_000),
  },
  maxAttempts: {
    name: "TALARIA_MAX_ATTEMPTS",
    yaml: "max_attempts",
    default: "3",
    meaning: "Executions without progress after which a run fails as `worker_crashed`.",
    expected: range(1, 100, "attempts"),
    schema: whole(1, 100),
  },
  maxSteps: {
    name: "TALARIA_MAX_STEPS",
    yaml: "max_steps",
    default: "50",
    meaning: "Model calls a run may make.",
    expected: range(1, 10_000, "steps"),
    schema: whole(1, 10_000),
  },
  cancelGraceMs: {
    name: "TALARIA_CANCEL_GRACE_MS",
    yaml: "cancel_grace_ms",
    default: "8000",
    meaning: "After this time a cancel is settled without the worker.",
    expected: range(100, 600_000, "milliseconds"),
    schema: whole(100, 600_000),
  },
  maxJournalBytes: {
    name: "TALARIA_MAX_JOURNAL_BYTES",
    yaml: "max_journal_bytes",
    default: String(16 * MIB),
    meaning: "Events a run may write before it fails as `output_limit`.",
    expected: range(65_536, 1024 * MIB, "bytes"),
    schema: whole(65_536, 1024 * MIB),
  },
  completionMaxAgeH: {
    name: "TALARIA_COMPLETION_MAX_AGE_H",
    yaml: "completion_max_age_h",
    default: "6",
    meaning: "Ends of background processes older than this are shown and begin no turn; 0: none is too old.",
    expected: range(0, 8760, "hours"),
    schema: whole(0, 8760),
  },
  retentionMs: {
    name: "TALARIA_RETENTION_MS",
    yaml: "retention_ms",
    default: String(24 * HOUR_MS),
    meaning: "How long an ended run stays in Redis; afterwards its archive answers.",
    expected: range(0, 8760 * HOUR_MS, "milliseconds"),
    schema: whole(0, 8760 * HOUR_MS),
  },
  flushMs: {
    name: "TALARIA_FLUSH_MS",
    yaml: "flush_ms",
    default: "4",
    meaning: "How long events are gathered before they are appended together.",
    expected: range(0, 1000, "milliseconds"),
    schema: whole(0, 1000),
  },
  heartbeatMs: {
    name: "TALARIA_HEARTBEAT_MS",
    yaml: "heartbeat_ms",
    default: "5000",
    meaning: "Pause between heartbeats on an event stream.",
    expected: range(100, 60_000, "milliseconds"),
    schema: whole(100, 60_000),
  },
  slowReaderMs: {
    name: "TALARIA_SLOW_READER_MS",
    yaml: "slow_reader_ms",
    default: "20000",
    meaning: "A stream whose client reads nothing for this long is closed.",
    expected: range(100, 600_000, "milliseconds"),
    schema: whole(100, 600_000),
  },
  publicUrl: {
    name: "TALARIA_PUBLIC_URL",
    yaml: "public_url",
    default: null,
    meaning: "Address under which people reach the page; links in webhooks begin with it.",
    expected: "an http or https address without query",
    schema: text.refine(isOriginPath).transform((value) => value.replace(/\/+$/, "")),
  },
  webhookPrivate: {
    name: "TALARIA_WEBHOOK_PRIVATE",
    yaml: "webhook_private",
    default: "",
    meaning:
      "Targets of webhooks and push (`host:port`, separated by commas) that may be private; link-local ones never are.",
    expected: "host:port pairs, separated by commas",
    schema: list(
      z
        .string()
        .toLowerCase()
        .regex(/^(\[[0-9a-f:.]+\]|[a-z0-9._-]+):\d{1,5}$/),
    ),
  },
  deliveryDelaysS: {
    name: "TALARIA_DELIVERY_DELAYS_S",
    yaml: "delivery_delays_s",
    default: "5,30,120,600,3600,21600",
    meaning:
      "Pauses before a webhook or push message is tried again, in seconds; after the last one it is given up.",
    expected: "1 to 20 whole numbers of seconds, up to 604800, separated by commas",
    schema: list(z.string().regex(/^\d{1,6}$/))
      .transform((delays) => delays.map(Number))
      .pipe(z.array(z.number().int().max(604_800)).min(1).max(20)),
  },
  deliveryTimeoutMs: {
    name: "TALARIA_DELIVERY_TIMEOUT_MS",
    yaml: "delivery_timeout_ms",
    default: "10000",
    meaning: "How long the receiver of a webhook or push message has for its answer.",
    expected: range(100, 60_000, "milliseconds"),
    schema: whole(100, 60_000),
  },
  deliveryConcurrency: {
    name: "TALARIA_DELIVERY_CONCURRENCY",
    yaml: "delivery_concurrency",
    default: "64",
    meaning: "Webhooks and push messages one worker sends at the same time.",
    expected: range(1, 1_000, "messages"),
    schema: whole(1, 1_000),
  },
  pushContact: {
    name: "TALARIA_PUSH_CONTACT",
    yaml: "push_contact",
    default: "mailto:talaria@example.com",
    meaning: "Whom push services write to about this server (mailto: or https:).",
    expected: "a mailto: or https: address",
    schema: text.regex(/^(mailto:[^\s@]{1,100}@[^\s@]{1,100}|https:\/\/\S{1,200})$/),
  },
  maxStreams: {
    name: "TALARIA_MAX_STREAMS",
    yaml: "max_streams",
    default: "2000",
    meaning: "Event streams one api process serves at the same time.",
    expected: range(1, 100_000, "streams"),
    schema: whole(1, 100_000),
  },
  maxConnections: {
    name: "TALARIA_MAX_CONNECTIONS",
    yaml: "max_connections",
    default: "4000",
    meaning: "Connections one api process accepts at the same time.",
    expected: range(1, 1_000_000, "connections"),
    schema: whole(1, 1_000_000),
  },
  tracesExporter: {
    name: "OTEL_TRACES_EXPORTER",
    yaml: null,
    default: null,
    meaning:
      "`otlp` sends spans of runs over OTLP/HTTP (JSON); `none` does not. An endpoint alone means `otlp`.",
    expected: "otlp or none",
    schema: text,
  },
  otlpEndpoint: {
    name: "OTEL_EXPORTER_OTLP_ENDPOINT",
    yaml: null,
    default: null,
    meaning:
      "Collector that spans are sent to (its `/v1/traces`); the other `OTEL_EXPORTER_OTLP_…` count, too.",
    expected: "an address",
    secret: true,
    schema: text,
  },
  otlpTracesEndpoint: {
    name: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    yaml: null,
    default: null,
    meaning: "The same for spans alone, as the whole address.",
    expected: "an address",
    secret: true,
    schema: text,
  },
  otelDisabled: {
    name: "OTEL_SDK_DISABLED",
    yaml: null,
    default: "false",
    meaning: "`true`: no spans, whatever the others say.",
    expected: "true or false",
    schema: text,
  },
  tracesSampler: {
    name: "OTEL_TRACES_SAMPLER",
    yaml: null,
    default: "parentbased_always_on",
    meaning: "Which traces are kept, by the standard's names.",
    expected: `one of ${SAMPLERS.join(", ")}`,
    schema: text,
  },
  tracesSamplerArg: {
    name: "OTEL_TRACES_SAMPLER_ARG",
    yaml: null,
    default: "1",
    meaning: "Share of them where the sampler wants one, 0 to 1.",
    expected: "a number, 0 to 1",
    schema: text,
  },
} as const satisfies Record<string, Setting>;

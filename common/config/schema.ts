import type { TracingConfig } from "./tracing.ts";

/** The typed configuration of a process. Parsed once by `load.ts`, passed down in slices; durations in milliseconds. */
export interface Config {
  /** Absolute path; `~/.talaria` by default. */
  readonly home: string;
  /** `<home>/talaria`: our own files (talaria.db, uploads, logs, private Redis). */
  readonly stateDir: string;
  readonly http: {
    readonly host: string;
    readonly port: number;
    /** Additional `Host` names answered (TALARIA_ALLOWED_HOSTS, comma separated). */
    readonly allowedHosts: readonly string[];
    /** Proxies whose X-Forwarded-* count (TALARIA_TRUSTED_PROXIES). */
    readonly trustedProxies: readonly string[];
    readonly maxStreams: number;
    readonly maxConnections: number;
    /** Whether the queues are shown at `/ops/queues` (security-contract 15). */
    readonly dashboard: boolean;
  };
  readonly auth: {
    /** TALARIA_PASSWORD; null: no login by password. */
    readonly password: string | null;
    /** TALARIA_TOKEN; null: no bearer token. */
    readonly token: string | null;
  };
  readonly redis: {
    readonly url: string;
    /** Key prefix of this deployment. */
    readonly prefix: string;
  };
  readonly log: { readonly level: "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent" };
  readonly worker: {
    readonly queues: readonly string[];
    /** Profiles that the worker works for; null: all. */
    readonly profiles: readonly string[] | null;
    readonly concurrency: number;
    /** Of each kind of background work. */
    readonly jobConcurrency: number;
    /** How long running runs may go on after SIGTERM before they are handed back. */
    readonly drainMs: number;
    readonly lockMs: number;
    readonly stalledCheckMs: number;
    /** After this without a look for jobs that came to its end the watchdog acts. */
    readonly stallMs: number;
  };
  /** OpenTelemetry, as its standard variables say. */
  readonly tracing: TracingConfig;
  readonly runs: {
    /** Executions without progress after which a run fails as `worker_crashed`. */
    readonly maxAttempts: number;
    readonly maxSteps: number;
    /** After this a cancel is settled without the worker. */
    readonly cancelGraceMs: number;
    readonly maxJournalBytes: number;
    /** Ends of background processes older than this begin no turn (B-37), in hours; 0: none is too old. */
    readonly completionMaxAgeH: number;
  };
  readonly journal: {
    readonly retentionMs: number;
    readonly flushMs: number;
    readonly heartbeatMs: number;
    readonly slowReaderMs: number;
  };
}

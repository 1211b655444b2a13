import { type DestinationStream, type Logger, pino } from "pino";
import { MASK } from "../base/mask.ts";
import { createRedactor } from "./redact.ts";

export type { Logger };

/** What every line about a run carries. */
export interface RunBindings {
  readonly run: string;
  readonly session: string;
  readonly attempt: number;
  readonly profile: string;
}

/**
 * Property names whose values never reach a log, at up to four levels. Bodies are among them: a prompt is the user's, and
 * a body parser's error carries the raw request (security-contract 12, 17).
 */
export const SECRET_KEYS = [
  "authorization",
  "cookie",
  "password",
  "token",
  "secret",
  "apiKey",
  "api_key",
  "body",
  "rawBody",
  "env",
  "childEnv",
  "redisUrl",
] as const;

/** Paths handed to pino: it matches level by level. */
export const REDACTED_PATHS: readonly string[] = [
  ...SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`, `*.*.*.${key}`]),
  ...["", "*.", "*.*."].map((at) => `${at}headers["set-cookie"]`),
  ...["", "*.", "*.*."].map((at) => `${at}headers["x-api-key"]`),
];

/** The root logger of a process: JSON lines to stdout, times in ISO 8601, secrets masked, errors under `err`. */
export const createLogger = (options: {
  /** "api", "worker", … */
  readonly name: string;
  readonly level: string;
  readonly destination?: DestinationStream;
}): Logger => {
  const settings = {
    name: options.name,
    level: options.level,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: [...REDACTED_PATHS], censor: MASK },
    serializers: { err: serializeError },
  };
  return options.destination === undefined ? pino(settings) : pino(settings, options.destination);
};

/** The run's logger: one line when it starts, one when it ends, everything between carries the bindings. */
export const runLogger = (log: Logger, { run, session, attempt, profile }: RunBindings): Logger =>
  log.child({ run, session, attempt, profile });

const patterns = createRedactor([]);

/**
 * Class, code, message and stack of an error and its causes, and nothing else: libraries hang requests, responses and
 * whole configurations on their errors. Key-like texts in them are masked.
 */
export const serializeError = (error: unknown, depth = 0): unknown => {
  if (!(error instanceof Error)) return { message: patterns.text(String(error)).slice(0, 2000) };
  const code: unknown = (error as { code?: unknown }).code;
  return {
    type: error.constructor.name,
    ...(typeof code === "string" || typeof code === "number" ? { code } : {}),
    message: patterns.text(error.message).slice(0, 2000),
    stack: patterns.text(error.stack ?? "").slice(0, 8000),
    ...(error.cause !== undefined && depth < 4 ? { cause: serializeError(error.cause, depth + 1) } : {}),
  };
};

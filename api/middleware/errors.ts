import type { ErrorRequestHandler, Response } from "express";
import type { Logger } from "pino";
import { type ErrorCode, TalariaError } from "../../common/base/errors.ts";
import { requestIdOf } from "./request-id.ts";

/**
 * The one place where an error becomes an answer, mounted last (security-contract 17): `{error: {code, message, details?}}`,
 * never a stack, never a piece of the input. What nobody foresaw is 500 `internal_error` and logged under `err`.
 */
export const errorHandler =
  (log: Logger): ErrorRequestHandler =>
  (thrown: unknown, req, res, next) => {
    const error = toTalariaError(thrown);
    if (error.status >= 500 && error.code !== "shutting_down")
      log[error.code === "internal_error" ? "error" : "warn"](
        { err: withoutBody(thrown), request_id: requestIdOf(res), method: req.method, code: error.code },
        "a request failed",
      );
    if (res.headersSent) {
      res.destroy();
      return;
    }
    if (req.destroyed && !req.complete) return next();
    sendError(res, error);
  };

/** Answers with an error; used by the handler above and by streams before their headers. */
export const sendError = (res: Response, error: TalariaError): void => {
  if (error.retryAfterS !== undefined) res.set("Retry-After", String(error.retryAfterS));
  if (error.status === 401) res.set("WWW-Authenticate", "Bearer");
  res.set("Cache-Control", "no-store");
  const { code, message, details } = error;
  res
    .status(error.status)
    .json({ error: details === undefined ? { code, message } : { code, message, details } });
};

/** Anything that was thrown, as the error that a client may see. */
export const toTalariaError = (thrown: unknown): TalariaError => {
  if (thrown instanceof TalariaError) {
    return thrown.status === 503 && thrown.retryAfterS === undefined
      ? new TalariaError(thrown.code, thrown.message, {
          cause: thrown,
          details: thrown.details,
          retryAfterS: 2,
        })
      : thrown;
  }
  const { code, status } = traits(thrown);
  if (code.startsWith("SQLITE_")) return fromSqlite(code, thrown);
  if (code === "ENOSPC") return new TalariaError("storage_full", "The disk is full.", { cause: thrown });
  if (isRedisAway(thrown))
    return new TalariaError("redis_unavailable", "Redis cannot be reached at the moment.", {
      cause: thrown,
      retryAfterS: 2,
    });
  if (status >= 400 && status < 500) {
    const [known, message] = CLIENT_ERRORS[status] ?? BAD_REQUEST;
    return new TalariaError(known, message, { cause: thrown });
  }
  return new TalariaError("internal_error", "Something went wrong on the server.", { cause: thrown });
};

/**
 * True when Redis could not be asked, as opposed to having refused. ioredis throws plain errors for some of these, with
 * nothing but their (constant) text to tell them by.
 */
export const isRedisAway = (thrown: unknown): boolean => {
  if (!(thrown instanceof Error)) return false;
  if (thrown instanceof TalariaError) return thrown.code === "redis_unavailable";
  if (thrown.name === "MaxRetriesPerRequestError" || thrown.name === "ClusterAllFailedError") return true;
  return CONNECTION_CODES.has(traits(thrown).code) || REDIS_TEXTS.has(thrown.message);
};

const CONNECTION_CODES = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EHOSTUNREACH",
]);
const REDIS_TEXTS = new Set([
  "Connection is closed.",
  "Stream isn't writeable and enableOfflineQueue options is false",
  "Command timed out",
]);

const BAD_REQUEST: readonly [ErrorCode, string] = ["invalid_request", "The request is malformed."];
/** Errors of Express and its parts, by status; their own texts may carry input and paths. */
const CLIENT_ERRORS: Readonly<Record<number, readonly [ErrorCode, string]>> = {
  403: ["forbidden", "This is not served."],
  404: ["not_found", "There is nothing at this address."],
  408: ["request_timeout", "The request took too long."],
  413: ["body_too_large", "The body is larger than this server takes."],
  415: ["unsupported_media_type", "The body must be plain JSON in UTF-8."],
};

const traits = (thrown: unknown): { code: string; status: number } => {
  const of = (typeof thrown === "object" && thrown !== null ? thrown : {}) as {
    code?: unknown;
    status?: unknown;
  };
  return {
    code: typeof of.code === "string" ? of.code : "",
    status: typeof of.status === "number" ? of.status : 0,
  };
};

const fromSqlite = (code: string, cause: unknown): TalariaError =>
  code.startsWith("SQLITE_FULL")
    ? new TalariaError("storage_full", "The disk is full.", { cause })
    : /^SQLITE_(BUSY|LOCKED|IOERR|READONLY|CANTOPEN|CORRUPT)/.test(code)
      ? new TalariaError("store_unavailable", "The database cannot be used at the moment.", {
          cause,
          retryAfterS: 2,
        })
      : new TalariaError("internal_error", "Something went wrong on the server.", { cause });

/** Parser errors carry the raw body, passwords included; the log gets only what names the fault. */
const withoutBody = (thrown: unknown): unknown => {
  if (!(thrown instanceof Error) || !("body" in thrown)) return thrown;
  const clean = new Error(thrown.message);
  if (thrown.stack !== undefined) clean.stack = thrown.stack;
  return clean;
};

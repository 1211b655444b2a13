import express, { type Request, type RequestHandler } from "express";
import { TalariaError } from "../../common/base/errors.ts";

export const MAX_BODY_BYTES = 1_048_576;
const MAX_DEPTH = 32;
/** Keys that mean something to JavaScript itself. */
const REFUSED_KEYS = new Set(["__proto__", "constructor", "prototype"]);

/**
 * Reads a JSON body: at most `limit` bytes of UTF-8, not compressed, at most 32 levels, an object at the top (security-contract 7).
 * Without a body `req.body` stays undefined. Only `application/json` is taken: a form of another site can send the
 * other types without asking first.
 */
export const jsonBody = (limit: number = MAX_BODY_BYTES): RequestHandler => {
  const readBytes = express.raw({ type: () => true, limit, inflate: false });
  return (req, res, next) => {
    if (!hasBody(req)) return next();
    if (!/^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(req.headers["content-type"] ?? ""))
      return next(new TalariaError("unsupported_media_type", "Send the body as application/json in UTF-8."));
    readBytes(req, res, (error?: unknown) => {
      if (error !== undefined) return next(error);
      try {
        req.body = parseJson(req.body as Buffer);
        next();
      } catch (refused) {
        next(refused);
      }
    });
  };
};

const hasBody = (req: Request): boolean =>
  req.headers["transfer-encoding"] !== undefined || Number(req.headers["content-length"] ?? 0) > 0;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

const parseJson = (bytes: Buffer): unknown => {
  if (bytes.length === 0) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(bytes));
  } catch {
    throw refuse("The body is not JSON in UTF-8.");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw refuse("The body must be a JSON object.");
  inspect(value, 1);
  return value;
};

/** Walks a parsed value; the depth limit also bounds the recursion. */
const inspect = (value: unknown, depth: number): void => {
  if (typeof value === "string") {
    if (!value.isWellFormed()) throw refuse("The body holds half of a surrogate pair.");
    return;
  }
  if (typeof value !== "object" || value === null) return;
  if (depth > MAX_DEPTH) throw refuse(`The body is nested deeper than ${MAX_DEPTH} levels.`);
  if (Array.isArray(value)) {
    for (const item of value) inspect(item, depth + 1);
    return;
  }
  for (const [key, item] of Object.entries(value)) {
    if (REFUSED_KEYS.has(key)) throw refuse("The body holds a key that is never allowed.");
    inspect(item, depth + 1);
  }
};

const refuse = (message: string): TalariaError => new TalariaError("invalid_request", message);

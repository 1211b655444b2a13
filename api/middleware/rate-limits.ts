import type { Request, RequestHandler, Response } from "express";
import { ipKeyGenerator, rateLimit } from "express-rate-limit";
import { TalariaError } from "../../common/base/errors.ts";
import { principalIn } from "./auth.ts";

export interface Limits {
  /** Requests of one principal, or of one address without a login; only when a login is configured. Streams are not counted. */
  readonly requestsPerMinute: number;
  /** Login attempts of one address. */
  readonly loginsPerMinute: number;
  /** Login attempts of all addresses together. */
  readonly loginsPerMinuteInAll: number;
  /** Open streams of one principal; only when a login is configured. */
  readonly streamsPerPrincipal: number;
}

export const DEFAULT_LIMITS: Limits = {
  requestsPerMinute: 600,
  loginsPerMinute: 5,
  loginsPerMinuteInAll: 30,
  streamsPerPrincipal: 20,
};

const perMinute = (limit: number, key: (req: Request, res: Response) => string): RequestHandler =>
  rateLimit({
    windowMs: 60_000,
    limit,
    keyGenerator: key,
    standardHeaders: false,
    legacyHeaders: false,
    handler: (req, _res, next) => {
      const resetAtMs = (req as { rateLimit?: { resetTime?: Date } }).rateLimit?.resetTime?.getTime();
      const retryAfterS = Math.max(1, Math.ceil(((resetAtMs ?? Date.now() + 60_000) - Date.now()) / 1000));
      next(new TalariaError("rate_limited", "Too many requests; wait a little.", { retryAfterS }));
    },
  });

const peer = (req: Request): string => `peer:${ipKeyGenerator(req.ip ?? "")}`;

/** Counts by principal; a request without one counts for its address, so guessing tokens is limited too. */
export const requestLimit = ({ requestsPerMinute }: Limits): RequestHandler =>
  perMinute(requestsPerMinute, (req, res) => principalIn(res)?.id ?? peer(req));

/** The limit over all addresses comes first: it bounds how many addresses the other one has to remember. */
export const loginLimits = ({ loginsPerMinute, loginsPerMinuteInAll }: Limits): readonly RequestHandler[] => [
  perMinute(loginsPerMinuteInAll, () => "all"),
  perMinute(loginsPerMinute, peer),
];

import type { RequestHandler } from "express";
import { TalariaError } from "../../common/base/errors.ts";

/**
 * Refuses what another site's page sends, reads and streams included (security-contract 3). A client that sends neither
 * header is not a browser and passes on to authentication. There is no CORS, so nothing is ever granted to an origin.
 * Needs the host guard before it: the Host header is known to be ours.
 */
export const originGuard = (): RequestHandler => (req, _res, next) => {
  const site = req.headers["sec-fetch-site"];
  const { origin, host } = req.headers;
  const foreign =
    (site !== undefined && site !== "same-origin" && site !== "none") ||
    (origin !== undefined && !isSameOrigin(origin, host ?? ""));
  next(foreign ? new TalariaError("cross_origin", "Other sites cannot use this server.") : undefined);
};

/** TLS may end at a proxy, so only the host part can be compared. */
const isSameOrigin = (origin: string, host: string): boolean => {
  const authority = /^https?:\/\/([^/]+)$/i.exec(origin)?.[1];
  return authority !== undefined && authority.toLowerCase() === host.toLowerCase();
};

import type { RequestHandler } from "express";
import helmet from "helmet";

/** The headers of security-contract 6. The page loads nothing from elsewhere and runs no inline script or style. */
export const securityHeaders = (): RequestHandler =>
  helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "connect-src": ["'self'"],
        "font-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "require-trusted-types-for": ["'script'"],
      },
    },
    // TLS belongs to the proxy in front; plain HTTP on loopback must stay reachable.
    strictTransportSecurity: false,
    referrerPolicy: { policy: "no-referrer" },
    crossOriginOpenerPolicy: { policy: "same-origin" },
    crossOriginResourcePolicy: { policy: "same-origin" },
    xFrameOptions: { action: "deny" },
  });

/** Answers of the API are never kept by a cache. */
export const noStore = (): RequestHandler => (_req, res, next) => {
  res.setHeader("Cache-Control", "no-store");
  next();
};
